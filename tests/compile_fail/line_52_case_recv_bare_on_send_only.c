/* SPDX-License-Identifier: MIT */
/* Nor in a select without a variable. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: line_52_case_recv_bare_on_send_only\.c:10: */
#include <leat.h>

void f(send_chan(int) c)
{
	chan_select {
		case_recv(c) {
		}
	}
}
