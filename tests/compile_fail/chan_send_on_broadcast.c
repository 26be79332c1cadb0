/* SPDX-License-Identifier: MIT */
/* A broadcast is no channel. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: chan_send_on_broadcast\.c:9: */
#include <leat.h>

void f(broadcast_chan(int) b)
{
	chan_send(b, 1);
}
