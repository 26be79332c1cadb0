/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A wait for a timer was cancelled: what is left of it is no timer that would hide a deadlock. */
#include <leat.h>

static void cancel(void *ctx)
{
	leat_ctx_cancel(*(leat_ctx **)ctx);
}

int main(void)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	chan(int) c = chan_make(int, 0);
	leat_timer *t = leat_timer_new(LEAT_HOUR);

	leat_go(cancel, &ctx, sizeof ctx);
	if (chan_recv_ctx(leat_timer_chan(t), NULL, ctx) == 0)
		return 1;
	chan_recv(c);
	return 0;
}
