/* SPDX-License-Identifier: MIT */
/* The two directions are different types. */
/* ERROR-GCC: 'int\ \*\ \(\*\)\[1\]'\ from\ incompatible\ pointer\ type\ 'int\ \*\ \(\*\)\[2\]' */
/* ERROR-CLANG: 'int\ \*\(\*\)\[1\]'.*'int\ \*\(\*\)\[2\]' */
/* ERROR: line_52_sender_as_receiver\.c:10: */
#include <leat.h>

void f(send_chan(int) s)
{
	recv_chan(int) r = s;

	chan_free(r);
}
