/* SPDX-License-Identifier: MIT */
/* A code is no error: leat_error_errno gives the one for it. */
/* ERROR: (makes|incompatible) (pointer from integer|integer to pointer) */
/* ERROR: error_wrap_of_a_code\.c:9: */
#include <leat.h>

leat_error *f(int code)
{
	return leat_error_wrap(code, NULL, "cannot run");
}
