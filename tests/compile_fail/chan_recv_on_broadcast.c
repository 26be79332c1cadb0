/* SPDX-License-Identifier: MIT */
/* Only a subscription can be received from. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: chan_recv_on_broadcast\.c:9: */
#include <leat.h>

int f(broadcast_chan(int) b)
{
	return chan_recv(b);
}
