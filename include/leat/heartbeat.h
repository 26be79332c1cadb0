/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats: pulses by which a worker shows that it lives, or that it gets on.
 *
 *	leat_heartbeat *h = leat_heartbeat_make(LEAT_SECOND);
 *
 * The worker beats at each interval while it waits,
 *
 *	chan_select {
 *		case_recv(leat_heartbeat_due(h))
 *			leat_heartbeat_beat(h);
 *		case_send(results, r)
 *			sent = true;
 *		case_recv(leat_ctx_done(ctx))
 *			return;
 *	}
 *
 * which heartbeat_send(h, results, r, ctx) does in one call; or before each unit of work, by leat_heartbeat_beat
 * alone; and closes the heartbeat when it ends (defer(leat_heartbeat_close, h)).  Others watch:
 *
 *	int err = leat_heartbeat_watch(h, 0, ctx);      parks until it is two intervals behind: -ETIME
 *
 * or receive single pulses: by leat_heartbeat_wait, or in a select from leat_heartbeat_pulses.
 *
 * A beat never waits: there is one slot for a pulse, and who finds it full leaves it so.  So nobody need listen, and
 * a late listener finds one pulse, however many beats there were.
 *
 * What is shown is where the beats stand in the code, no more.  One per unit of work shows that work gets done.  One
 * per interval, given in a wait, shows that the worker waits, perhaps for ever for who will not come.  Those of
 * with_heartbeat come from beside the worker and show only that it has not left that block.
 *
 * The channel of pulses is never closed, so that nobody takes an end for a pulse: that there come no more is told by
 * leat_heartbeat_ended, and as -EPIPE.
 *
 * Who waits and beats at each interval is awaited by a timer, so a deadlock that he is in is not found as one: that is
 * for who watches.
 *
 * Any goroutine, any thread, all of it; several may beat.  What precedes a beat happens before the receive of its
 * pulse, and before a leat_heartbeat_count that counts it; what precedes a close happens before what follows from
 * having found it.  After chapters 4 and 5 of the book Concurrency in Go.
 */
#ifndef LEAT_HEARTBEAT_H
#define LEAT_HEARTBEAT_H

#include <leat/ctx.h>
#include <leat/scope.h>

typedef struct leat_heartbeat leat_heartbeat;

LEAT__BEGIN

/*
 * Make a heartbeat that is due every interval_ns nanoseconds; 0: never, for beats per unit of work alone.
 *
 * Panics "heartbeat: negative interval" and "out of memory".  The caller owns the result: leat_heartbeat_free.
 */
LEAT_API leat_heartbeat *leat_heartbeat_make(int64_t interval_ns) LEAT__WARN_UNUSED;

/*
 * Free h and its channels; NULL is a no-op.  No other use may overlap or follow.  Panics "heartbeat_free: goroutines
 * are waiting on a channel" when that is so.
 */
LEAT_API void leat_heartbeat_free(leat_heartbeat *h);

/* --- the worker */

/*
 * Give a pulse.  Never parks; after a close it does nothing, as a beat that comes too late is no mistake of who
 * gives it.  Costs twice what a clock read does, and a lock if the slot is free.
 */
LEAT_API void leat_heartbeat_beat(leat_heartbeat *h);

/* A channel for the worker's select, from which can be received once per interval; NULL where there is no interval.
   It is a ticker's (leat/ticker.h), and h's. */
LEAT_API LEAT_RECV_CHAN(int64_t) leat_heartbeat_due(leat_heartbeat *h);

/*
 * leat_chan_send_ctx, leat_chan_recv_ctx and leat_sleep_ctx, in which a beat is given whenever one is due: promises,
 * panics and results are theirs.  ctx may be NULL.  A wait of more cases needs a select.
 * Panic "out of memory" where there is none for a timer or for ctx's channel.
 */
LEAT_API int leat_heartbeat_send(leat_heartbeat *h, leat_chan *c, const void *elem,
                                 leat_any_ctx ctx) LEAT__WARN_UNUSED;
LEAT_API int leat_heartbeat_recv(leat_heartbeat *h, leat_chan *c, void *elem,
                                 leat_any_ctx ctx) LEAT__WARN_UNUSED;
LEAT_API int leat_heartbeat_sleep(leat_heartbeat *h, int64_t duration_ns, leat_any_ctx ctx);

/* The worker has ended: no more beats come.  What lies in the slot can still be received.  The second time it does
   nothing, so it can be deferred at once and called besides. */
LEAT_API void leat_heartbeat_close(leat_heartbeat *h);

/* --- who watches */

/*
 * Park the caller while the worker beats: until the latest beat, or else the making of h, is timeout_ns nanoseconds
 * ago (0: two intervals; where h has none, for ever): -ETIME.  -EPIPE: h was closed.  -ECANCELED, -ETIMEDOUT: ctx is
 * done; it comes first, and NULL is no context.
 *
 * It takes no pulse, so any number may watch.  What was beaten at the last instant may or may not count.  A wake per
 * timeout_ns, not per beat.  Panics "out of memory" where there is none for a timer or for ctx's channel.
 */
LEAT_API int leat_heartbeat_watch(leat_heartbeat *h, int64_t timeout_ns,
                                  leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Take one pulse, parking the caller for up to timeout_ns nanoseconds (0: two intervals; where h has none, for ever):
 * 0; -ETIME: none came; -EPIPE: h is closed, and the slot empty.  Else as leat_heartbeat_watch.
 */
LEAT_API int leat_heartbeat_wait(leat_heartbeat *h, int64_t timeout_ns,
                                 leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* The slot, for a select: each pulse goes to one receiver.  Never closed.  h's. */
LEAT_API LEAT_RECV_CHAN(leat_empty) leat_heartbeat_pulses(leat_heartbeat *h);

/*
 * A channel that is closed at the first beat: the worker has come to its loop.  Where h is closed before there was
 * one it is closed, too, with a reason (chan_reason) whose code is -EPIPE.  h's.
 */
LEAT_API LEAT_RECV_CHAN(leat_empty) leat_heartbeat_started(leat_heartbeat *h);

/* A channel that is closed when h is.  h's. */
LEAT_API LEAT_RECV_CHAN(leat_empty) leat_heartbeat_ended(leat_heartbeat *h);

/* How many beats there were; the instant of the latest one (before the first: when h was made); the interval. */
LEAT_API uint64_t leat_heartbeat_count(leat_heartbeat *h);
LEAT_API int64_t leat_heartbeat_latest(leat_heartbeat *h);
LEAT_API int64_t leat_heartbeat_interval(leat_heartbeat *h);

/* --- the handshake, so that a result is not given twice: by a worker that was taken for dead, and by its successor */

/*
 * The worker, who is about to hand over its one result: true, once, if it may; it must then do so, for nobody else
 * will.  False: it was given up, and must not.  It is a beat.
 *
 * Who watches, and has lost patience: true, if the worker has not committed, and now cannot; another one may have its
 * work.  False: it has, and its result comes or is there; or it was given up before.
 *
 * Of the two the first wins, and happens before the other's return.  Neither parks.  One heartbeat per worker and
 * result.  Other ways: leat/duplicates.h.
 */
LEAT_API bool leat_heartbeat_commit(leat_heartbeat *h) LEAT__WARN_UNUSED;
LEAT_API bool leat_heartbeat_give_up(leat_heartbeat *h) LEAT__WARN_UNUSED;

/* What LEAT_WITH_HEARTBEAT is made of.  Private. */
LEAT_API void leat__heartbeat_keep(leat_scope *s, leat_heartbeat *h);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_heartbeat_send(...)  __extension__ leat_heartbeat_send(__VA_ARGS__)
#define leat_heartbeat_recv(...)  __extension__ leat_heartbeat_recv(__VA_ARGS__)
#define leat_heartbeat_sleep(...) __extension__ leat_heartbeat_sleep(__VA_ARGS__)
#define leat_heartbeat_watch(...) __extension__ leat_heartbeat_watch(__VA_ARGS__)
#define leat_heartbeat_wait(...)  __extension__ leat_heartbeat_wait(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_HEARTBEAT_SEND(h, c, value, ctx), LEAT_HEARTBEAT_RECV(h, c, vp, ctx): the same, typed; vp is a T *, or NULL to
   drop the value.  A value with commas of its own needs parentheses. */
#define LEAT_HEARTBEAT_SEND(h, c, value, ctx) LEAT__BEATING_SEND(__COUNTER__, h, c, value, ctx)
#define LEAT__BEATING_SEND(n, h, c, v, ctx)                                                        \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		leat_heartbeat *LEAT__VAR(heartbeat, n) = (h);                                             \
		leat_chan *LEAT__VAR(chan, n) = LEAT__RAW(c);                                              \
		LEAT__ELEM(c) LEAT__VAR(value, n) = v;                                                     \
		leat_heartbeat_send(LEAT__VAR(heartbeat, n), LEAT__VAR(chan, n),                           \
		                    (const void *)&LEAT__VAR(value, n), (ctx));                            \
	})
#define LEAT_HEARTBEAT_RECV(h, c, vp, ctx) LEAT__BEATING_RECV(__COUNTER__, h, c, vp, ctx)
#define LEAT__BEATING_RECV(n, h, c, vp, ctx)                                                       \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		LEAT__ELEM(c) * LEAT__VAR(to, n) = (vp);                                                   \
		leat_heartbeat_recv((h), LEAT__RAW(c), (void *)LEAT__VAR(to, n), (ctx));                   \
	})

/*
 * LEAT_WITH_HEARTBEAT(h): a declaration; until the enclosing block is left, by whichever way, a goroutine beside the
 * caller beats, at once and then once per interval.  For a call that takes long and cannot beat, and see above
 * what these beats show.  Panics "heartbeat: no interval" and "out of memory".
 */
#define LEAT_WITH_HEARTBEAT(h) LEAT__WITH_HEARTBEAT(__COUNTER__, h)
#define LEAT__WITH_HEARTBEAT(n, h)                                                                 \
	LEAT_SCOPE(LEAT__CAT(leat__beating, n), (leat_ctx *)NULL);                                     \
	leat__heartbeat_keep(LEAT__CAT(leat__beating, n), (h))

#ifndef LEAT_NO_SHORT_NAMES
#define heartbeat_send(h, c, v, ctx)  LEAT_HEARTBEAT_SEND(h, c, v, ctx)
#define heartbeat_recv(h, c, vp, ctx) LEAT_HEARTBEAT_RECV(h, c, vp, ctx)
#define with_heartbeat(h)             LEAT_WITH_HEARTBEAT(h)
#endif

#endif /* !__cplusplus */

#endif
