/* SPDX-License-Identifier: MIT */
/* Tickers: alarms that go off periodically.  All that is not plain here is in chan/alarm.c. */
#include "chan/alarm.h"
#include "sched/panic.h"

#include <leat/ticker.h>

struct leat_ticker {
	struct leat__alarm alarm;
};

static struct leat__alarm *alarm_each(int64_t period_ns, bool owned)
{
	return leat__alarm_chan(owned, leat__deadline(period_ns), period_ns);
}

static LEAT_RECV_CHAN(int64_t) chan_of(const struct leat__alarm *a)
{
	return (LEAT_RECV_CHAN(int64_t))(void *)a->chan;
}

leat_ticker *leat_ticker_new(int64_t period_ns)
{
	if (period_ns <= 0)
		leat__panic_runtime("non-positive interval for NewTicker");
	return container_of(alarm_each(period_ns, true), struct leat_ticker, alarm);
}

LEAT_RECV_CHAN(int64_t) leat_tick(int64_t period_ns)
{
	if (period_ns <= 0)
		return NULL;
	return chan_of(alarm_each(period_ns, false));
}

LEAT_RECV_CHAN(int64_t) leat_ticker_chan(leat_ticker *t)
{
	return t ? chan_of(&t->alarm) : NULL;
}

void leat_ticker_stop(leat_ticker *t)
{
	if (t)
		leat__alarm_set(&t->alarm, false, INT64_MAX, 0);
}

void leat_ticker_reset(leat_ticker *t, int64_t period_ns)
{
	if (period_ns <= 0)
		leat__panic_runtime("non-positive interval for Ticker.Reset");
	if (!t)
		leat__panic_runtime("time: Reset called on uninitialized Ticker");
	leat__alarm_set(&t->alarm, true, leat__deadline(period_ns), period_ns);
}

void leat_ticker_free(leat_ticker *t)
{
	if (!t)
		return;
	if (leat__alarm_awaited(&t->alarm))
		leat__panic_runtime("ticker_free: goroutines are waiting on the channel");
	leat__alarm_free(&t->alarm);
}
