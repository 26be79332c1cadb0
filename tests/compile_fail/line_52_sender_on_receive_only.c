/* SPDX-License-Identifier: MIT */
/* There is no way from receiving to sending. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: line_52_sender_on_receive_only\.c:9: */
#include <leat.h>

void f(recv_chan(int) c)
{
	(void)chan_sender(c);
}
