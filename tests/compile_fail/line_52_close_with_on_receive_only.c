/* SPDX-License-Identifier: MIT */
/* Receivers do not close, whatever the reason. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: line_52_close_with_on_receive_only\.c:9: */
#include <leat.h>

void f(recv_chan(int) c)
{
	chan_close_with(c, NULL);
}
