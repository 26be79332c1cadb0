/* SPDX-License-Identifier: MIT */
/* The type made is the type declared. */
/* ERROR-GCC: 'long\ int\ \*\ \(\*\)\[3\]'\ from\ incompatible\ pointer\ type\ 'int\ \*\ \(\*\)\[3\]' */
/* ERROR-CLANG: 'long\ \*\(\*\)\[3\]'.*'int\ \*\(\*\)\[3\]' */
/* ERROR: make_of_another_type\.c:10: */
#include <leat.h>

void f(void)
{
	chan(long) c = chan_make(int, 1);

	chan_free(c);
}
