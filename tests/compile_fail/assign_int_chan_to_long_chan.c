/* SPDX-License-Identifier: MIT */
/* Channels of different elements are different types. */
/* ERROR-GCC: 'long\ int\ \*\ \(\*\)\[3\]'\ from\ incompatible\ pointer\ type\ 'int\ \*\ \(\*\)\[3\]' */
/* ERROR-CLANG: 'long\ \*\(\*\)\[3\]'.*'int\ \*\(\*\)\[3\]' */
/* ERROR: assign_int_chan_to_long_chan\.c:11: */
#include <leat.h>

void f(void)
{
	chan(int) c = chan_make(int, 1);
	chan(long) l = c;

	chan_free(l);
}
