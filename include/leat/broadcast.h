/* SPDX-License-Identifier: MIT */
/*
 * Broadcasts: each value that is sent goes to every subscriber.  Go has none.
 *
 *	broadcast_chan(int) news = broadcast_make(int, 16, LEAT_BROADCAST_BLOCK);
 *	recv_chan(int) mine = broadcast_subscribe(news);       once for each who wants them all
 *
 *	broadcast_send(news, 7);
 *	chan_range(n, mine) printf("%d\n", n);                 an ordinary channel, for select too
 *	broadcast_unsubscribe(news, mine);
 *
 * A subscription is a buffered channel of the broadcast's.  It gets every value sent after it was subscribed, in
 * the one order in which they were sent, which is the same for all subscribers.  What happens when a
 * subscriber is slow and its buffer full is the broadcast's policy.
 *
 * Any goroutine, any thread, all of it.  Operations on one broadcast (making it, sending, subscribing,
 * unsubscribing, closing) are in an order, and an earlier one happens before a later one; a send happens before
 * the receives that get its value.
 */
#ifndef LEAT_BROADCAST_H
#define LEAT_BROADCAST_H

#include <leat/chan.h>
#include <leat/ctx.h>

typedef struct leat_broadcast leat_broadcast;

/* What a send does for a subscriber whose buffer is full. */
typedef enum leat_broadcast_policy {
	LEAT_BROADCAST_BLOCK,       /* wait until it has room */
	LEAT_BROADCAST_DROP_OLDEST, /* the oldest value in its buffer is lost to it */
	LEAT_BROADCAST_DROP_NEWEST, /* this value is lost to it */
} leat_broadcast_policy;

LEAT__BEGIN

/*
 * Make a broadcast of elements of elem_bytes bytes (0 too); each subscriber has room for cap of them.
 *
 * With a cap of 0 a value is handed over: a send that blocks waits for each subscriber to take it, one that
 * drops gives it to those who wait for one.
 * Panics "makechan: size out of range" as leat_chan_make does, "broadcast_make: no such policy", and "out of
 * memory".  The caller owns the result: leat_broadcast_free.
 */
LEAT_API leat_broadcast *leat_broadcast_make(size_t elem_bytes, ptrdiff_t cap,
                                             leat_broadcast_policy policy) LEAT__WARN_UNUSED;

/*
 * Free b and the subscriptions that it still has; NULL is a no-op.
 *
 * No other use of b or of these channels may overlap or follow.  Panics "broadcast_free: goroutines are waiting on
 * a subscription" and "broadcast_free: a send is under way" when that is so.
 */
LEAT_API void leat_broadcast_free(leat_broadcast *b);

/*
 * Subscribe: a channel that gets all values sent from now on, and is closed when b is; of a b that is closed it
 * is closed.  A send that is under way, because it waits for others, does not count as later.
 *
 * The channel is only to be received from, by whomever; it is b's, and is freed by leat_broadcast_unsubscribe.
 * Panics "out of memory".  Two allocations.  Does not wait for a send that is blocked.
 */
LEAT_API leat_chan *leat_broadcast_subscribe(leat_broadcast *b) LEAT__WARN_UNUSED;

/*
 * End a subscription, and free its channel; what it holds is dropped.  NULL is a no-op.
 *
 * A send that waits for this subscriber goes on without it.  No other use of the channel may overlap or follow;
 * panics "broadcast_unsubscribe: goroutines are waiting on the subscription", and "broadcast_unsubscribe: not a
 * subscription of this broadcast".
 */
LEAT_API void leat_broadcast_unsubscribe(leat_broadcast *b, leat_chan *subscription);

/*
 * Send *elem to every subscriber.  Where none is blocked for, it takes a mutex, and each channel's lock once;
 * never allocates.
 *
 * By the policy LEAT_BROADCAST_BLOCK it returns when each has it in its buffer.  All that have room get it first,
 * then the others as room comes; meanwhile later sends wait for their turn, in the order they came.
 * Panics "send on closed broadcast" when b is closed, also while it waits: those that had no room until then do
 * not get the value.  elem stays the caller's and may be reused on return.
 */
LEAT_API void leat_broadcast_send(leat_broadcast *b, const void *elem);

/*
 * The same, but waits only until ctx is done: then -ECANCELED or -ETIMEDOUT; 0 when every subscriber has it.
 *
 * With an error from a ctx that was done before its turn came nobody has the value.  If it is done while
 * it waits for slow subscribers, those that have no room yet miss it, as leat_broadcast_lagged tells them.
 * ctx: NULL for none.
 */
LEAT_API int leat_broadcast_send_ctx(leat_broadcast *b, const void *elem,
                                     leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Close b: its subscribers drain what they have, then see their channels closed, for this reason
 * (leat_chan_reason; NULL: none).  Does not wait for a send that is blocked: that panics.
 * Panics "close of closed broadcast".
 */
LEAT_API void leat_broadcast_close(leat_broadcast *b);
LEAT_API void leat_broadcast_close_with(leat_broadcast *b, const leat_error *reason);

/*
 * How many values this subscription has missed since this was asked last.  Exact: what was sent since it was
 * subscribed is what was received, what is buffered, and what was missed.  By LEAT_BROADCAST_DROP_OLDEST the
 * missed ones were sent just before the next one that will be received, by DROP_NEWEST after all
 * that the buffer held then.  0 for a channel that is no subscription, and for NULL.
 */
LEAT_API uint64_t leat_broadcast_lagged(leat_chan *subscription);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_broadcast_send_ctx(...) __extension__ leat_broadcast_send_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_BROADCAST(T): the type of a typed broadcast; a pointer, as chan(T) is, but no channel. */
#define LEAT_BROADCAST(T) LEAT__CHAN(T, 4)

#define LEAT__IS_BROADCAST(b)                                                                      \
	_Static_assert(LEAT__DIR(b) == 4, "not a broadcast: it needs a broadcast_chan(T)")
#define LEAT__BROADCAST_RAW(b) ((leat_broadcast *)(void *)(b))

#define LEAT_BROADCAST_MAKE(T, cap, policy)                                                        \
	__extension__({                                                                                \
		LEAT__CAN_ELEM(T);                                                                         \
		(LEAT_BROADCAST(T)) leat_broadcast_make(sizeof(__typeof__(T)), (cap), (policy));           \
	})

#define LEAT_BROADCAST_FREE(b)                                                                     \
	__extension__({                                                                                \
		LEAT__IS_BROADCAST(b);                                                                     \
		leat_broadcast_free(LEAT__BROADCAST_RAW(b));                                               \
	})

#define LEAT_BROADCAST_SUBSCRIBE(b)                                                                \
	__extension__({                                                                                \
		LEAT__IS_BROADCAST(b);                                                                     \
		(LEAT_RECV_CHAN(LEAT__ELEM(b)))(void *)leat_broadcast_subscribe(LEAT__BROADCAST_RAW(b));   \
	})

/* c is what LEAT_BROADCAST_SUBSCRIBE gave. */
#define LEAT_BROADCAST_UNSUBSCRIBE(b, c) LEAT__UNSUBSCRIBING(__COUNTER__, b, c)
#define LEAT__UNSUBSCRIBING(n, b, c)                                                               \
	__extension__({                                                                                \
		LEAT__IS_BROADCAST(b);                                                                     \
		leat_broadcast *LEAT__VAR(broadcast, n) = LEAT__BROADCAST_RAW(b);                          \
		LEAT_RECV_CHAN(LEAT__ELEM(b)) LEAT__VAR(chan, n) = (c);                                    \
		leat_broadcast_unsubscribe(LEAT__VAR(broadcast, n), LEAT__RAW(LEAT__VAR(chan, n)));        \
	})

/* The value is evaluated once, and must be assignable to T; in the form with a context one that has commas of its
   own needs parentheses. */
#define LEAT_BROADCAST_SEND(...) LEAT__BROADCASTING(__COUNTER__, __VA_ARGS__)
#define LEAT__BROADCASTING(n, b, ...)                                                              \
	__extension__({                                                                                \
		LEAT__IS_BROADCAST(b);                                                                     \
		leat_broadcast *LEAT__VAR(broadcast, n) = LEAT__BROADCAST_RAW(b);                          \
		LEAT__ELEM(b) LEAT__VAR(value, n) = __VA_ARGS__;                                           \
		leat_broadcast_send(LEAT__VAR(broadcast, n), (const void *)&LEAT__VAR(value, n));          \
	})

#define LEAT_BROADCAST_SEND_CTX(b, value, ctx) LEAT__BROADCASTING_CTX(__COUNTER__, b, value, ctx)
#define LEAT__BROADCASTING_CTX(n, b, v, ctx)                                                       \
	__extension__({                                                                                \
		LEAT__IS_BROADCAST(b);                                                                     \
		leat_broadcast *LEAT__VAR(broadcast, n) = LEAT__BROADCAST_RAW(b);                          \
		LEAT__ELEM(b) LEAT__VAR(value, n) = v;                                                     \
		leat_broadcast_send_ctx(LEAT__VAR(broadcast, n), (const void *)&LEAT__VAR(value, n),       \
		                        (ctx));                                                            \
	})

#define LEAT_BROADCAST_CLOSE(b)                                                                    \
	__extension__({                                                                                \
		LEAT__IS_BROADCAST(b);                                                                     \
		leat_broadcast_close(LEAT__BROADCAST_RAW(b));                                              \
	})

#define LEAT_BROADCAST_CLOSE_WITH(b, reason)                                                       \
	__extension__({                                                                                \
		LEAT__IS_BROADCAST(b);                                                                     \
		leat_broadcast_close_with(LEAT__BROADCAST_RAW(b), (reason));                               \
	})

#define LEAT_BROADCAST_LAGGED(c)                                                                   \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		leat_broadcast_lagged(LEAT__RAW(c));                                                       \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define broadcast_chan(T)               LEAT_BROADCAST(T)
#define broadcast_make(T, cap, policy)  LEAT_BROADCAST_MAKE(T, cap, policy)
#define broadcast_free(b)               LEAT_BROADCAST_FREE(b)
#define broadcast_subscribe(b)          LEAT_BROADCAST_SUBSCRIBE(b)
#define broadcast_unsubscribe(b, c)     LEAT_BROADCAST_UNSUBSCRIBE(b, c)
#define broadcast_send(...)             LEAT_BROADCAST_SEND(__VA_ARGS__)
#define broadcast_send_ctx(b, v, ctx)   LEAT_BROADCAST_SEND_CTX(b, v, ctx)
#define broadcast_close(b)              LEAT_BROADCAST_CLOSE(b)
#define broadcast_close_with(b, reason) LEAT_BROADCAST_CLOSE_WITH(b, reason)
#define broadcast_lagged(c)             LEAT_BROADCAST_LAGGED(c)
#endif

#endif /* !__cplusplus */

#endif
