/* SPDX-License-Identifier: MIT */
/* Nor do they send in a select. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: line_52_case_send_on_receive_only\.c:10: */
#include <leat.h>

void f(recv_chan(int) c)
{
	chan_select {
		case_send(c, 1) {
		}
	}
}
