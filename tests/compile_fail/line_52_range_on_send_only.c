/* SPDX-License-Identifier: MIT */
/* Nor range. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: line_52_range_on_send_only\.c:9: */
#include <leat.h>

void f(send_chan(int) c)
{
	chan_range(v, c)
		(void)v;
}
