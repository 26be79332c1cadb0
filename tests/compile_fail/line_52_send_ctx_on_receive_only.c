/* SPDX-License-Identifier: MIT */
/* Nor with a context. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: line_52_send_ctx_on_receive_only\.c:9: */
#include <leat.h>

int f(recv_chan(int) c, leat_ctx *ctx)
{
	return chan_send_ctx(c, 1, ctx);
}
