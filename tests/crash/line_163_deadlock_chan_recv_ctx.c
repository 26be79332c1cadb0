/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A context that nobody cancels ends no wait. */
#include <leat.h>

int main(void)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	chan(int) c = chan_make(int, 0);
	int v = 1;

	return leat_chan_recv_ctx((leat_chan *)(void *)c, &v, ctx);
}
