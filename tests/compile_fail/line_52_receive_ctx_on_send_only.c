/* SPDX-License-Identifier: MIT */
/* Nor with a context. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: line_52_receive_ctx_on_send_only\.c:9: */
#include <leat.h>

int f(send_chan(int) c, leat_ctx *ctx)
{
	return chan_recv_ctx(c, NULL, ctx);
}
