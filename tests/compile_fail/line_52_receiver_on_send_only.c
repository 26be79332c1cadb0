/* SPDX-License-Identifier: MIT */
/* There is no way from sending to receiving. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: line_52_receiver_on_send_only\.c:9: */
#include <leat.h>

void f(send_chan(int) c)
{
	(void)chan_receiver(c);
}
