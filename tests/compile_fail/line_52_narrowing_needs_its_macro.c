/* SPDX-License-Identifier: MIT */
/* Narrowing is written down. */
/* ERROR-GCC: 'int\ \*\ \(\*\)\[2\]'\ from\ incompatible\ pointer\ type\ 'int\ \*\ \(\*\)\[3\]' */
/* ERROR-CLANG: 'int\ \*\(\*\)\[2\]'.*'int\ \*\(\*\)\[3\]' */
/* ERROR: line_52_narrowing_needs_its_macro\.c:10: */
#include <leat.h>

void f(chan(int) c)
{
	send_chan(int) s = c;

	chan_close(s);
}
