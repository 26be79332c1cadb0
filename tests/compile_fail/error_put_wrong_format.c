/* SPDX-License-Identifier: MIT */
/* Formats are checked, for those who ask their compiler to. */
/* ERROR: format.*'(char \*|int)' */
/* ERROR: error_put_wrong_format\.c:10: */
#pragma GCC diagnostic error "-Wformat"
#include <leat.h>

bool f(leat_error *e)
{
	return leat_error_put(e, "key", "%s", 7);
}
