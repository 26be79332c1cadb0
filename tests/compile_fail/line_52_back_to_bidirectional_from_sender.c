/* SPDX-License-Identifier: MIT */
/* A narrowed channel is not widened again. */
/* ERROR-GCC: 'int\ \*\ \(\*\)\[3\]'\ from\ incompatible\ pointer\ type\ 'int\ \*\ \(\*\)\[2\]' */
/* ERROR-CLANG: 'int\ \*\(\*\)\[3\]'.*'int\ \*\(\*\)\[2\]' */
/* ERROR: line_52_back_to_bidirectional_from_sender\.c:11: */
#include <leat.h>

void f(chan(int) c)
{
	send_chan(int) s = chan_sender(c);
	chan(int) both = s;

	chan_free(both);
}
