/* SPDX-License-Identifier: MIT */
/*
 * Timers: something happens once, at an instant.  After Go's time.Timer, as it is since Go 1.23.
 *
 *	leat_timer *t = leat_timer_new(LEAT_SECOND);
 *
 *	chan_select {
 *		case_recv(answers, a)
 *			use(a);
 *		case_recv(leat_timer_chan(t))
 *			puts("no answer within a second");
 *	}
 *	leat_timer_reset(t, 5 * LEAT_SECOND);           for the next round
 *	leat_timer_free(t);
 *
 * A timer is active from when it is made or reset until its value has been received (leat_after_func:
 * until its function was started) or it is stopped.  Its channel never holds anything stale: once a
 * stop has returned, nothing can be received; once a reset has returned, nothing but the new value.
 * There is no need to drain it.  It always has a length and a capacity of 0.
 *
 * Of concurrent stops, resets, receives and the timer's going off, each happens at one instant.  Any
 * goroutine, any thread may do them.  A timer never goes off early.
 *
 * While nobody waits on its channel a timer costs its memory (192 bytes and 16 more) and nothing else,
 * however many there are; it does not keep the process from being found deadlocked either.
 *
 * Where only one wait is to be limited, case_timeout (leat/select.h) needs no timer; a deadline for all
 * of a block belongs to a scope (leat/scope.h).
 */
#ifndef LEAT_TIMER_H
#define LEAT_TIMER_H

#include <leat/chan.h>

typedef struct leat_timer leat_timer;

LEAT__BEGIN

/*
 * Make a timer whose channel can be received from once, duration_ns nanoseconds from now; at once when
 * that is 0 or less, never when it is too long for the clock.
 *
 * Panics "out of memory".  The caller owns the result: leat_timer_free.  After Go's time.NewTimer.
 */
LEAT_API leat_timer *leat_timer_new(int64_t duration_ns) LEAT__WARN_UNUSED;

/*
 * Make a timer that starts fn(arg) in a goroutine of its own, duration_ns nanoseconds from now; as
 * soon as possible when that is 0 or less.
 *
 * What the caller does before this call, or before a leat_timer_reset, happens before the run of fn that
 * it brings about.  Nothing else is ordered: stop, reset and free do not wait for fn, and after a reset
 * two runs of it may overlap.  A panic in fn is one in that goroutine.
 *
 * While the timer is active it keeps the process alive, as a sleeping goroutine does.
 *
 * fn NULL is fatal: "go of nil func value".  Panics "out of memory"; running out of memory when fn is to
 * be started is fatal.  The caller owns the result: leat_timer_free, which fn may call, too.
 * arg must be good until fn has run or a stop has returned true.  After Go's time.AfterFunc.
 */
LEAT_API leat_timer *leat_after_func(int64_t duration_ns, void (*fn)(void *),
                                     void *arg) LEAT__WARN_UNUSED;

/*
 * The timer's channel, on which the instant for which it was set is received, however late that is
 * done.  NULL for a timer with a function, and for NULL.
 *
 * The channel belongs to the timer and goes with it.  If several wait on it, one gets the value, the
 * longest waiter first.  Making or resetting the timer happens before the receive of the value.
 */
LEAT_API LEAT_RECV_CHAN(int64_t) leat_timer_chan(leat_timer *t);

/*
 * Stop the timer.  True when it was active; one that went off but was not received is.
 *
 * True: the value will not be received, fn will not be started.  False: it was received, or fn has been
 * started (and may still run), or the timer was stopped before.  Who waits on the channel goes on
 * waiting, until a reset.
 *
 * Panics "time: Stop called on uninitialized Timer" on NULL.  Takes one or two locks; never fails.
 * After Go's Timer.Stop.
 */
LEAT_API bool leat_timer_stop(leat_timer *t);

/*
 * Set the timer anew, for duration_ns nanoseconds from now, whatever it was doing.  True when it was
 * active.  A timer with a function starts it once more; if false is returned, another run of it may be
 * under way.
 *
 * Panics "time: Reset called on uninitialized Timer" on NULL.  Takes one or two locks; never fails.
 * After Go's Timer.Reset.
 */
LEAT_API bool leat_timer_reset(leat_timer *t, int64_t duration_ns);

/*
 * Stop the timer and free it with its channel; NULL is a no-op.  A function that was started goes on.
 *
 * Panics "timer_free: goroutines are waiting on the channel" when that is so.  No other use of the timer
 * or its channel may overlap or follow.  Of a timer with a function, until its memory serves something else and was not
 * given back to the system, any use that follows panics "use of freed timer", and to free it again "timer_free: timer is
 * freed already"; of others see leat/chan.h.
 */
LEAT_API void leat_timer_free(leat_timer *t);

/*
 * A channel on which the instant duration_ns nanoseconds from now can be received, once, when it has
 * come (at once when duration_ns is 0 or less).  The value is the instant that was asked for, however
 * late it is received.
 *
 * The channel is the caller's: chan_free it, before or after that; freeing stops the timer.
 * Panics "out of memory".  Any goroutine, any thread.  After Go's time.After.
 */
LEAT_API LEAT_RECV_CHAN(int64_t) leat_after(int64_t duration_ns) LEAT__WARN_UNUSED;

LEAT__END

#endif
