/* SPDX-License-Identifier: MIT */
/* The message in place of the type. */
/* ERROR-GCC: passing argument 5 of 'leat_error_wrap_at' from incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types passing 'char\[10\]' */
/* ERROR: error_wrap_without_type\.c:10: */
#include <leat.h>

leat_error *f(const leat_error *cause)
{
	return leat_error_wrap(cause, "cannot %s", "run");
}
