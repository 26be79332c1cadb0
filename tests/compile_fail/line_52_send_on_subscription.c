/* SPDX-License-Identifier: MIT */
/* Subscribers only receive. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: line_52_send_on_subscription\.c:9: */
#include <leat.h>

void f(broadcast_chan(int) b)
{
	chan_send(broadcast_subscribe(b), 1);
}
