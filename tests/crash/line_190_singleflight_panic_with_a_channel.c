/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* Nobody can tell a channel of a panic, so it cannot be caught, and its trace is that of the function. */
#include <leat.h>

static leat_singleflight group;
static int times;

static int work(void *arg, void **value)
{
	recv_chan(leat_singleflight_result) *c = arg;

	(void)value;
	*c = leat_singleflight_do_chan(&group, "key", work, NULL);
	leat_panic("no luck");
	return times++;
}

static void call(void *arg)
{
	leat_singleflight_do(&group, "key", work, arg, NULL);
	times++;
}

int main(void)
{
	recv_chan(leat_singleflight_result) c;

	leat_catch(call, &c, NULL);
	return 0;
}
