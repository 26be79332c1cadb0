/* SPDX-License-Identifier: MIT */
/* Receive-only views cannot send. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: line_52_send_on_receive_only\.c:9: */
#include <leat.h>

void f(recv_chan(int) c)
{
	chan_send(c, 1);
}
