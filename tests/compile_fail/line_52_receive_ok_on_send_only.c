/* SPDX-License-Identifier: MIT */
/* Nor with ok. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: line_52_receive_ok_on_send_only\.c:9: */
#include <leat.h>

void f(send_chan(int) c)
{
	chan_recv_ok(c, NULL);
}
