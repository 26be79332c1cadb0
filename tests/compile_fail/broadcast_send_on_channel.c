/* SPDX-License-Identifier: MIT */
/* A channel is no broadcast. */
/* ERROR: not a broadcast: it needs a broadcast_chan\(T\) */
/* ERROR: broadcast_send_on_channel\.c:9: */
#include <leat.h>

void f(chan(int) c)
{
	broadcast_send(c, 1);
}
