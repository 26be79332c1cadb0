/* SPDX-License-Identifier: MIT */
/* Formats are checked, for those who ask their compiler to. */
/* ERROR: format.*'(char \*|int)' */
/* ERROR: error_wrap_wrong_format\.c:10: */
#pragma GCC diagnostic error "-Wformat"
#include <leat.h>

leat_error *f(void)
{
	return leat_error_wrap(NULL, NULL, "%s", 7);
}
