/* SPDX-License-Identifier: MIT */
/* What any_must gives is of the type that is asked for. */
/* ERROR-GCC: makes integer from pointer without a cast */
/* ERROR-CLANG: incompatible pointer to integer conversion */
/* ERROR: any_must_wrong_type\.c:10: */
#include <leat.h>

int f(leat_any a)
{
	return any_must(const char *, a);
}
