/* SPDX-License-Identifier: MIT */
/*
 * Latest values: a cell that holds the newest of the values it was set to, and tells subscribers of changes.
 * Go has none.
 *
 *	latest_cell(struct config) cell = latest_make(struct config);
 *	latest_set(cell, read_config());
 *	struct config now = latest_get(cell);
 *
 *	recv_chan(struct config) changes = latest_subscribe(cell);      the present value is there at once
 *	chan_range(c, changes) apply(&c);
 *	latest_unsubscribe(cell, changes);
 *
 * A subscription is a channel that holds at most one value: the newest that was not received from it yet.
 * Nobody waits for a slow subscriber, which sees fewer values, never an old one after a newer one, and always
 * the last.
 *
 * Any goroutine, any thread, all of it.  Operations on one cell are in an order, and an earlier one happens before
 * a later one; a set happens before the receives that get its value.
 */
#ifndef LEAT_LATEST_H
#define LEAT_LATEST_H

#include <leat/chan.h>

typedef struct leat_latest leat_latest;

LEAT__BEGIN

/*
 * Make a cell for values of elem_bytes bytes (0 too), without a value.
 * Panics "makechan: size out of range" and "out of memory".  The caller owns the result: leat_latest_free.
 */
LEAT_API leat_latest *leat_latest_make(size_t elem_bytes) LEAT__WARN_UNUSED;

/*
 * Free l and the subscriptions that it still has; NULL is a no-op.  No other use of l or of these channels may
 * overlap or follow.  Panics "latest_free: goroutines are waiting on a subscription" when that is so.
 */
LEAT_API void leat_latest_free(leat_latest *l);

/*
 * Set l to *elem, and give it to every subscriber in place of what that has not received yet.
 *
 * Panics "set of closed latest value" when l is closed.  elem stays the caller's and may be reused on return.
 * Takes a mutex, and each subscription's lock once; never allocates.
 */
LEAT_API void leat_latest_set(leat_latest *l, const void *elem);

/*
 * Copy the newest value into *elem: true; false, with *elem zeroed, while l has none.  That remains after a
 * close.  Takes a mutex.
 */
LEAT_API bool leat_latest_get(leat_latest *l, void *elem);

/*
 * Subscribe: a channel that holds the present value at once, if there is one, and each newer one until it is
 * received or replaced; closed when l is, once the last value was received.
 *
 * The channel is only to be received from, by whomever; it is l's, and is freed by leat_latest_unsubscribe.  How
 * many values were replaced there leat_broadcast_lagged tells.  Panics "out of memory".
 */
LEAT_API leat_chan *leat_latest_subscribe(leat_latest *l) LEAT__WARN_UNUSED;

/*
 * End a subscription, and free its channel; NULL is a no-op.  No other use of the channel may overlap or follow;
 * panics "latest_unsubscribe: goroutines are waiting on the subscription", and "latest_unsubscribe: not a
 * subscription of this cell".
 */
LEAT_API void leat_latest_unsubscribe(leat_latest *l, leat_chan *subscription);

/* Close l: no more values come, as the subscribers see.  Panics "close of closed latest value".  The reason: see
   leat_chan_close_with. */
LEAT_API void leat_latest_close(leat_latest *l);
LEAT_API void leat_latest_close_with(leat_latest *l, const leat_error *reason);

LEAT__END

#ifndef __cplusplus

/* LEAT_LATEST(T): the type of a typed cell; a pointer, as chan(T) is, but no channel. */
#define LEAT_LATEST(T) LEAT__CHAN(T, 8)

#define LEAT__IS_LATEST(l)                                                                         \
	_Static_assert(LEAT__DIR(l) == 8, "not a latest value: it needs a latest_cell(T)")
#define LEAT__LATEST_RAW(l) ((leat_latest *)(void *)(l))

#define LEAT_LATEST_MAKE(T)                                                                        \
	__extension__({                                                                                \
		LEAT__CAN_ELEM(T);                                                                         \
		(LEAT_LATEST(T)) leat_latest_make(sizeof(__typeof__(T)));                                  \
	})

#define LEAT_LATEST_FREE(l)                                                                        \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		leat_latest_free(LEAT__LATEST_RAW(l));                                                     \
	})

/* The value is evaluated once, and must be assignable to T. */
#define LEAT_LATEST_SET(...) LEAT__LATEST_SETTING(__COUNTER__, __VA_ARGS__)
#define LEAT__LATEST_SETTING(n, l, ...)                                                            \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		leat_latest *LEAT__VAR(latest, n) = LEAT__LATEST_RAW(l);                                   \
		LEAT__ELEM(l) LEAT__VAR(value, n) = __VA_ARGS__;                                           \
		leat_latest_set(LEAT__VAR(latest, n), (const void *)&LEAT__VAR(value, n));                 \
	})

/* The newest value, all zero while there is none. */
#define LEAT_LATEST_GET(l) LEAT__LATEST_GETTING(__COUNTER__, l)
#define LEAT__LATEST_GETTING(n, l)                                                                 \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		LEAT__ELEM(l) LEAT__VAR(value, n);                                                         \
		leat_latest_get(LEAT__LATEST_RAW(l), (void *)&LEAT__VAR(value, n));                        \
		LEAT__VAR(value, n);                                                                       \
	})

/* Copy it into *(T *)vp and say whether there is one. */
#define LEAT_LATEST_GET_OK(l, vp) LEAT__LATEST_GETTING_OK(__COUNTER__, l, vp)
#define LEAT__LATEST_GETTING_OK(n, l, vp)                                                          \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		leat_latest *LEAT__VAR(latest, n) = LEAT__LATEST_RAW(l);                                   \
		LEAT__ELEM(l) * LEAT__VAR(to, n) = (vp);                                                   \
		leat_latest_get(LEAT__VAR(latest, n), (void *)LEAT__VAR(to, n));                           \
	})

#define LEAT_LATEST_SUBSCRIBE(l)                                                                   \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		(LEAT_RECV_CHAN(LEAT__ELEM(l)))(void *)leat_latest_subscribe(LEAT__LATEST_RAW(l));         \
	})

/* c is what LEAT_LATEST_SUBSCRIBE gave. */
#define LEAT_LATEST_UNSUBSCRIBE(l, c) LEAT__LATEST_UNSUBSCRIBING(__COUNTER__, l, c)
#define LEAT__LATEST_UNSUBSCRIBING(n, l, c)                                                        \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		leat_latest *LEAT__VAR(latest, n) = LEAT__LATEST_RAW(l);                                   \
		LEAT_RECV_CHAN(LEAT__ELEM(l)) LEAT__VAR(chan, n) = (c);                                    \
		leat_latest_unsubscribe(LEAT__VAR(latest, n), LEAT__RAW(LEAT__VAR(chan, n)));              \
	})

#define LEAT_LATEST_CLOSE(l)                                                                       \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		leat_latest_close(LEAT__LATEST_RAW(l));                                                    \
	})

#define LEAT_LATEST_CLOSE_WITH(l, reason)                                                          \
	__extension__({                                                                                \
		LEAT__IS_LATEST(l);                                                                        \
		leat_latest_close_with(LEAT__LATEST_RAW(l), (reason));                                     \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define latest_cell(T)               LEAT_LATEST(T)
#define latest_make(T)               LEAT_LATEST_MAKE(T)
#define latest_free(l)               LEAT_LATEST_FREE(l)
#define latest_set(...)              LEAT_LATEST_SET(__VA_ARGS__)
#define latest_get(l)                LEAT_LATEST_GET(l)
#define latest_get_ok(l, vp)         LEAT_LATEST_GET_OK(l, vp)
#define latest_subscribe(l)          LEAT_LATEST_SUBSCRIBE(l)
#define latest_unsubscribe(l, c)     LEAT_LATEST_UNSUBSCRIBE(l, c)
#define latest_close(l)              LEAT_LATEST_CLOSE(l)
#define latest_close_with(l, reason) LEAT_LATEST_CLOSE_WITH(l, reason)
#endif

#endif /* !__cplusplus */

#endif
