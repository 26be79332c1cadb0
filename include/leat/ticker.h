/* SPDX-License-Identifier: MIT */
/*
 * Tickers: a value can be received once per period.  After Go's time.Ticker, as it is since Go 1.23.
 *
 *	leat_ticker *t = leat_ticker_new(10 * LEAT_MILLISECOND);
 *
 *	chan_range(at, leat_ticker_chan(t)) {
 *		if (!poll_something(at))
 *			break;
 *	}
 *	leat_ticker_free(t);
 *
 * The ticks lie on a grid that begins when the ticker is made or reset.  A slow reader loses ticks: of
 * those that it missed it receives the first, at once, and then the next one that is to come.  What is
 * received is the instant on the grid.
 *
 * As with timers (leat/timer.h) nothing stale is ever received after a stop or a reset, the channel has
 * a length and a capacity of 0, all operations are for any goroutine and any thread and happen at one
 * instant, and a ticker that nobody waits for costs its memory alone and hides no deadlock.
 */
#ifndef LEAT_TICKER_H
#define LEAT_TICKER_H

#include <leat/chan.h>

typedef struct leat_ticker leat_ticker;

LEAT__BEGIN

/*
 * Make a ticker with the given period in nanoseconds; the first tick comes after one period.
 *
 * Panics "non-positive interval for NewTicker" when it is 0 or less, "out of memory" when there is none.
 * The caller owns the result: leat_ticker_free.  After Go's time.NewTicker.
 */
LEAT_API leat_ticker *leat_ticker_new(int64_t period_ns) LEAT__WARN_UNUSED;

/*
 * The ticker's channel, NULL for NULL.  It belongs to the ticker and goes with it.  It is never closed,
 * so chan_range over it ends with a break.  If several wait, each tick goes to one, the longest waiter
 * first.  Making or resetting the ticker happens before the receives of its ticks.
 */
LEAT_API LEAT_RECV_CHAN(int64_t) leat_ticker_chan(leat_ticker *t);

/*
 * No more ticks, until a reset.  The channel is not closed: who waits goes on waiting.  Stopping twice,
 * or NULL, is harmless.  Takes two locks; never fails.  After Go's Ticker.Stop.
 */
LEAT_API void leat_ticker_stop(leat_ticker *t);

/*
 * Go on with another period, stopped or not; the first tick comes after one period from now.
 *
 * Panics "non-positive interval for Ticker.Reset" when it is 0 or less, "time: Reset called on
 * uninitialized Ticker" on NULL.  Takes two locks; never fails.  After Go's Ticker.Reset.
 */
LEAT_API void leat_ticker_reset(leat_ticker *t, int64_t period_ns);

/*
 * Stop the ticker and free it with its channel; NULL is a no-op.
 *
 * Panics "ticker_free: goroutines are waiting on the channel" when that is so.  No other use of the
 * ticker or its channel may overlap or follow.
 */
LEAT_API void leat_ticker_free(leat_ticker *t);

/*
 * The channel of a ticker that need not be stopped by name; NULL when period_ns is 0 or less.
 *
 * The channel is the caller's: chan_free it, which stops the ticker.  Panics "out of memory".
 * After Go's time.Tick.
 */
LEAT_API LEAT_RECV_CHAN(int64_t) leat_tick(int64_t period_ns) LEAT__WARN_UNUSED;

LEAT__END

#endif
