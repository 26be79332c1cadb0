/* SPDX-License-Identifier: MIT */
/* Nor try it. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: line_52_try_receive_on_send_only\.c:9: */
#include <leat.h>

void f(send_chan(int) c)
{
	chan_try_recv(c, NULL, NULL);
}
