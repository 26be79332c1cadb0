/* SPDX-License-Identifier: MIT */
/* Nor in a select. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: line_52_case_recv_on_send_only\.c:10: */
#include <leat.h>

void f(send_chan(int) c)
{
	chan_select {
		case_recv(c, v)
			(void)v;
	}
}
