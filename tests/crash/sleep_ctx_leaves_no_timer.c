/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A sleep of an hour was cancelled: no timer of it is left that would hide a deadlock. */
#include <leat.h>

static void cancel(void *ctx)
{
	leat_ctx_cancel(*(leat_ctx **)ctx);
}

int main(void)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	chan(int) c = chan_make(int, 0);

	leat_go(cancel, &ctx, sizeof ctx);
	if (leat_sleep_ctx(LEAT_HOUR, ctx) == 0)
		return 1;
	chan_recv(c);
	return 0;
}
