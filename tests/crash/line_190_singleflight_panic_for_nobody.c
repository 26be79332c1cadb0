/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* All callers have left when the function panics. */
#include <leat.h>

static leat_singleflight group;
static leat_ctx *ctx;
static int times;

static int work(void *arg, void **value)
{
	(void)arg;
	(void)value;
	leat_ctx_cancel(ctx);
	while (leat_num_goroutine() > 2 || leat_num_parked() < 1)
		leat_yield();
	leat_panic("no luck");
	return times++;
}

int main(void)
{
	chan(int) never = NULL;

	ctx = leat_ctx_with_cancel(leat_ctx_background());
	if (leat_singleflight_do_ctx(&group, "key", work, NULL, NULL, ctx) != -ECANCELED)
		return 1;
	return chan_recv(never);
}
