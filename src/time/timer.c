/* SPDX-License-Identifier: MIT */
/* Timers: alarms that go off once.  All that is not plain here is in chan/alarm.c. */
#include "chan/alarm.h"
#include "sched/panic.h"

#include <leat/timer.h>

struct leat_timer {
	struct leat__alarm alarm;
};

static LEAT_RECV_CHAN(int64_t) chan_of(const struct leat__alarm *a)
{
	return (LEAT_RECV_CHAN(int64_t))(void *)a->chan;
}

leat_timer *leat_timer_new(int64_t duration_ns)
{
	struct leat__alarm *a = leat__alarm_chan(true, leat__deadline(duration_ns), 0);

	return container_of(a, struct leat_timer, alarm);
}

leat_timer *leat_after_func(int64_t duration_ns, void (*fn)(void *), void *arg)
{
	struct leat__alarm *a;

	if (!fn) {
		leat__current(); /* even the process's first call is somebody's */
		leat__fatal("go of nil func value");
	}
	a = leat__alarm_func(fn, arg, leat__deadline(duration_ns), __builtin_return_address(0));
	return container_of(a, struct leat_timer, alarm);
}

LEAT_RECV_CHAN(int64_t) leat_after(int64_t duration_ns)
{
	return chan_of(leat__alarm_chan(false, leat__deadline(duration_ns), 0));
}

LEAT_RECV_CHAN(int64_t) leat_timer_chan(leat_timer *t)
{
	return t ? chan_of(&t->alarm) : NULL;
}

bool leat_timer_stop(leat_timer *t)
{
	if (!t)
		leat__panic_runtime("time: Stop called on uninitialized Timer");
	return leat__alarm_set(&t->alarm, false, INT64_MAX, 0);
}

bool leat_timer_reset(leat_timer *t, int64_t duration_ns)
{
	if (!t)
		leat__panic_runtime("time: Reset called on uninitialized Timer");
	return leat__alarm_set(&t->alarm, true, leat__deadline(duration_ns), 0);
}

void leat_timer_free(leat_timer *t)
{
	if (!t)
		return;
	if (leat__alarm_awaited(&t->alarm))
		leat__panic_runtime("timer_free: goroutines are waiting on the channel");
	leat__alarm_free(&t->alarm);
}
