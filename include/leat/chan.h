/* SPDX-License-Identifier: MIT */
/*
 * Channels: typed, bounded FIFO queues by which goroutines (and plain threads) meet.
 *
 *	chan(int) c = chan_make(int, 4);        both directions, room for four
 *	send_chan(int) in = chan_sender(c);     a view that can only send (and close)
 *	recv_chan(int) out = chan_receiver(c);  a view that can only receive
 *	chan_send(in, 7);
 *	int v = chan_recv(out);
 *	chan_range(x, out) printf("%d\n", x);
 *
 * chan(T) is an ordinary pointer type, so it may be stored, passed and sent like one; files that say
 * chan(int) agree.  A channel of capacity 0 is unbuffered: a send completes when a receiver has taken
 * the value.  A NULL channel is never ready: a send or receive on it blocks for ever.
 *
 * Senders close.  After a close, what is buffered can still be received; then every receive yields
 * the zero value at once.  A close may give a reason, which receivers can ask for.
 *
 * A channel made with chan_make is freed by its owner with chan_free, when nobody uses it any more;
 * scope_chan makes one that goes with its scope.
 *
 * The macros are typed faces of the functions at the end, which serve element sizes known only at run
 * time and other languages.
 */
#ifndef LEAT_CHAN_H
#define LEAT_CHAN_H

#include <leat/base.h>
#include <leat/error.h>

typedef struct leat_chan leat_chan;

/* T is the element type; the length of the array carries the direction. */
#define LEAT__CHAN(T, dir) __typeof__(__typeof__(T) *(*)[dir])
#define LEAT_RECV_CHAN(T)  LEAT__CHAN(T, 1)
#define LEAT_SEND_CHAN(T)  LEAT__CHAN(T, 2)
#define LEAT_CHAN(T)       LEAT__CHAN(T, 3)

LEAT__BEGIN

/*
 * Make a channel for elements of elem_bytes bytes (0 too) with room for cap of them.
 *
 * Panics "makechan: size out of range" when cap is negative or elem_bytes * cap does not fit,
 * "out of memory" when there is none.  The caller owns the result: leat_chan_free.
 * Any goroutine, any thread.  One allocation.  After Go's make(chan T, n).
 */
LEAT_API leat_chan *leat_chan_make(size_t elem_bytes, ptrdiff_t cap) LEAT__WARN_UNUSED;

/*
 * Free a channel; NULL is a no-op.  Values still buffered are dropped.
 *
 * Panics "chan_free: goroutines are waiting on the channel" when that is so.  No other use may
 * overlap or follow; the channel of a scope (scope_chan), of a timer or of a ticker is not freed by
 * hand: that panics.
 *
 * Until its memory serves something else, and was not given back to the system, any use of a freed channel, also
 * of one that its scope or timer has freed, panics "use of freed channel", and to free it again "chan_free: channel is
 * freed already".  That finds most such bugs, not all: the address sanitizer finds more.
 */
LEAT_API void leat_chan_free(leat_chan *c);

/*
 * Send *elem, parking the caller until a receiver or a free slot takes it.
 *
 * Panics "send on closed channel" when c is closed, also while parked: only senders close.  Blocks
 * for ever on NULL.  Any goroutine, any thread.  Happens before the receive that gets the value; the
 * k-th receive happens before the completion of the (k + cap)-th send.
 * elem stays the caller's and may be reused on return; c must outlive the call.
 * Takes one lock, never allocates.
 */
LEAT_API void leat_chan_send(leat_chan *c, const void *elem);

/*
 * Receive into *elem (NULL: drop the value), parking the caller until there is a value or c is
 * closed.  True with a value; false, with *elem zeroed, when c is closed and drained.
 *
 * Blocks for ever on NULL.  Any goroutine, any thread.  Ordering as leat_chan_send; a close happens
 * before the receive that returns because of it.  Takes one lock, never allocates.
 */
LEAT_API bool leat_chan_recv(leat_chan *c, void *elem);

/* Send without parking: true when *elem was sent.  Panics when c is closed; false on NULL. */
LEAT_API bool leat_chan_try_send(leat_chan *c, const void *elem);

/*
 * Receive without parking: true when the receive took place, that is when there was a value
 * (*ok true) or c is closed and drained (*ok false, *elem zeroed).  False, with both untouched, when
 * it would have parked.  elem and ok may be NULL.
 */
LEAT_API bool leat_chan_try_recv(leat_chan *c, void *elem, bool *ok);

/*
 * Close c: parked receivers get the zero value, parked senders panic.
 *
 * Panics "close of nil channel" on NULL, "close of closed channel" when c is closed already.
 * Any goroutine, any thread.
 */
LEAT_API void leat_chan_close(leat_chan *c);

/*
 * The same, and leat_chan_reason gives the reason from then on.  The channel holds it, beside the caller, until it
 * is freed.  NULL: no reason.  Beyond Go's.
 */
LEAT_API void leat_chan_close_with(leat_chan *c, const leat_error *reason);

/*
 * Close c unless it is closed already: true for the one who closed it, of however many try, false for the
 * others; the close happens before a call that returns false.  For channels with several senders of which
 * nobody knows who is the last.  That the others may still send, which panics, it does not change.
 *
 * Panics "close of nil channel" on NULL, and "close of closed channel" for the channel of a timer or a ticker, as
 * leat_chan_close does.  Any goroutine, any thread.  Beyond Go's.
 */
LEAT_API bool leat_chan_try_close(leat_chan *c);
LEAT_API bool leat_chan_try_close_with(leat_chan *c, const leat_error *reason);

/*
 * Is c closed, whether or not it is drained?  Why: the reason of the close; NULL while it is open, where
 * none was given, and on NULL.
 *
 * Yes, and a reason, are for good; the close, and all that preceded it, happens before the call that tells of
 * it.  Who received "closed" finds the reason.  No is old news at once: it does not make a send safe, and is
 * for diagnostics.  Any goroutine, any thread; one load each.  Beyond Go's.
 */
LEAT_API bool leat_chan_is_closed(leat_chan *c);
LEAT_API const leat_error *leat_chan_reason(leat_chan *c);

/* How many values are buffered now (0 on NULL; parked senders do not count). */
LEAT_API size_t leat_chan_len(leat_chan *c);

/* The capacity c was made with (0 on NULL). */
LEAT_API size_t leat_chan_cap(leat_chan *c);

LEAT__END

#ifndef __cplusplus

#define LEAT__ELEM(c) __typeof__(*(*(c))[0])
#define LEAT__DIR(c)  (sizeof(*(c)) / sizeof((*(c))[0]))

#define LEAT__CAN_RECV(c)                                                                          \
	_Static_assert(LEAT__DIR(c) & 1, "receive from a send-only channel: it needs a chan(T) or "    \
	                                 "recv_chan(T)")
#define LEAT__CAN_SEND(c)                                                                          \
	_Static_assert(LEAT__DIR(c) & 2, "send on (or close of) a receive-only channel: it needs a "   \
	                                 "chan(T) or send_chan(T)")

/* A broadcast (leat/broadcast.h) is written in the same way, and is none. */
#define LEAT__IS_CHAN(c) _Static_assert(LEAT__DIR(c) - 1 < 3, "not a channel")

/* The library's name for a typed channel; anything that is no channel fails in LEAT__DIR. */
#define LEAT__RAW(c) ((leat_chan *)(void *)(c))

/* T may be an element. */
#define LEAT__CAN_ELEM(T)                                                                          \
	_Static_assert(!__builtin_types_compatible_p(__typeof__(T), void),                             \
	               "a channel of void has no elements: use chan(leat_empty) for events");          \
	_Static_assert(!__builtin_types_compatible_p(__typeof__(T) *, __typeof__(T) const *),          \
	               "the elements of a channel are copied: its type cannot be const")

/* chan(T) = LEAT_CHAN_MAKE(T, n) */
#define LEAT_CHAN_MAKE(T, n)                                                                       \
	__extension__({                                                                                \
		LEAT__CAN_ELEM(T);                                                                         \
		(LEAT_CHAN(T))leat_chan_make(sizeof(__typeof__(T)), (n));                                  \
	})

#define LEAT_CHAN_FREE(c)                                                                          \
	__extension__({                                                                                \
		LEAT__IS_CHAN(c);                                                                          \
		leat_chan_free(LEAT__RAW(c));                                                              \
	})

/* Operations nest, as in chan_send(a, chan_recv(b)): so their variables have names of their own. */
#define LEAT__VAR(name, n) LEAT__CAT(leat__##name, n)

/* The value is evaluated once, and must be assignable to T. */
#define LEAT_CHAN_SEND(...)     LEAT__SENDING(__COUNTER__, leat_chan_send, __VA_ARGS__)
#define LEAT_CHAN_TRY_SEND(...) LEAT__SENDING(__COUNTER__, leat_chan_try_send, __VA_ARGS__)
#define LEAT__SENDING(n, fn, c, ...)                                                               \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		leat_chan *LEAT__VAR(chan, n) = LEAT__RAW(c);                                              \
		LEAT__ELEM(c) LEAT__VAR(value, n) = __VA_ARGS__;                                           \
		fn(LEAT__VAR(chan, n), &LEAT__VAR(value, n));                                              \
	})

/* The value received, all zero when c is closed and drained. */
#define LEAT_CHAN_RECV(c) LEAT__RECEIVING(__COUNTER__, c)
#define LEAT__RECEIVING(n, c)                                                                      \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		LEAT__ELEM(c) LEAT__VAR(value, n);                                                         \
		leat_chan_recv(LEAT__RAW(c), (void *)&LEAT__VAR(value, n));                                \
		LEAT__VAR(value, n);                                                                       \
	})

/* Receive into *(T *)vp and say whether it is a value (false: closed and drained). */
#define LEAT_CHAN_RECV_OK(c, vp) LEAT__RECEIVING_OK(__COUNTER__, c, vp)
#define LEAT__RECEIVING_OK(n, c, vp)                                                               \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		LEAT__ELEM(c) * LEAT__VAR(to, n) = (vp);                                                   \
		leat_chan_recv(LEAT__RAW(c), (void *)LEAT__VAR(to, n));                                    \
	})

/* vp is a T * or NULL, okp a bool * or NULL. */
#define LEAT_CHAN_TRY_RECV(c, vp, okp) LEAT__TRY_RECEIVING(__COUNTER__, c, vp, okp)
#define LEAT__TRY_RECEIVING(n, c, vp, okp)                                                         \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		LEAT__ELEM(c) * LEAT__VAR(to, n) = (vp);                                                   \
		leat_chan_try_recv(LEAT__RAW(c), (void *)LEAT__VAR(to, n), (okp));                         \
	})

#define LEAT_CHAN_CLOSE(c)                                                                         \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		leat_chan_close(LEAT__RAW(c));                                                             \
	})

#define LEAT_CHAN_CLOSE_WITH(c, reason)                                                            \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		leat_chan_close_with(LEAT__RAW(c), (reason));                                              \
	})

#define LEAT_CHAN_TRY_CLOSE(c)                                                                     \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		leat_chan_try_close(LEAT__RAW(c));                                                         \
	})

#define LEAT_CHAN_TRY_CLOSE_WITH(c, reason)                                                        \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		leat_chan_try_close_with(LEAT__RAW(c), (reason));                                          \
	})

#define LEAT_CHAN_CLOSED(c)                                                                        \
	__extension__({                                                                                \
		LEAT__IS_CHAN(c);                                                                          \
		leat_chan_is_closed(LEAT__RAW(c));                                                         \
	})

#define LEAT_CHAN_REASON(c)                                                                        \
	__extension__({                                                                                \
		LEAT__IS_CHAN(c);                                                                          \
		leat_chan_reason(LEAT__RAW(c));                                                            \
	})

#define LEAT_CHAN_LEN(c)                                                                           \
	__extension__({                                                                                \
		LEAT__IS_CHAN(c);                                                                          \
		leat_chan_len(LEAT__RAW(c));                                                               \
	})

#define LEAT_CHAN_CAP(c)                                                                           \
	__extension__({                                                                                \
		LEAT__IS_CHAN(c);                                                                          \
		leat_chan_cap(LEAT__RAW(c));                                                               \
	})

/* Narrow a channel to one direction; there is no way back. */
#define LEAT_CHAN_SENDER(c)                                                                        \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		(LEAT_SEND_CHAN(LEAT__ELEM(c)))(void *)(c);                                                \
	})
#define LEAT_CHAN_RECEIVER(c)                                                                      \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		(LEAT_RECV_CHAN(LEAT__ELEM(c)))(void *)(c);                                                \
	})

/*
 * LEAT_CHAN_RANGE(v, c) statement: run the statement for every value, v being declared here, until c
 * is closed and drained.  c is evaluated once.  Leaving early (break, return, goto) closes nothing
 * and keeps what is unread.
 */
#define LEAT_CHAN_RANGE(v, c) LEAT__CHAN_RANGE(__COUNTER__, v, c)
#define LEAT__CHAN_RANGE(n, v, c)                                                                  \
	for (bool LEAT__VAR(in, n) = true; LEAT__VAR(in, n);)                                          \
		for (LEAT__AUTO LEAT__VAR(range, n) = (c); LEAT__VAR(in, n); LEAT__VAR(in, n) = false)     \
			for (LEAT__ELEM(LEAT__VAR(range, n)) v; __extension__({                                \
				     LEAT__CAN_RECV(LEAT__VAR(range, n));                                          \
				     leat_chan_recv(LEAT__RAW(LEAT__VAR(range, n)), (void *)&v);                   \
			     });)

#ifndef LEAT_NO_SHORT_NAMES
#define chan(T)                        LEAT_CHAN(T)
#define send_chan(T)                   LEAT_SEND_CHAN(T)
#define recv_chan(T)                   LEAT_RECV_CHAN(T)
#define chan_make(T, n)                LEAT_CHAN_MAKE(T, n)
#define chan_free(c)                   LEAT_CHAN_FREE(c)
#define chan_send(...)                 LEAT_CHAN_SEND(__VA_ARGS__)
#define chan_recv(c)                   LEAT_CHAN_RECV(c)
#define chan_recv_ok(...)              LEAT_CHAN_RECV_OK(__VA_ARGS__)
#define chan_try_send(...)             LEAT_CHAN_TRY_SEND(__VA_ARGS__)
#define chan_try_recv(...)             LEAT_CHAN_TRY_RECV(__VA_ARGS__)
#define chan_close(c)                  LEAT_CHAN_CLOSE(c)
#define chan_close_with(c, reason)     LEAT_CHAN_CLOSE_WITH(c, reason)
#define chan_try_close(c)              LEAT_CHAN_TRY_CLOSE(c)
#define chan_try_close_with(c, reason) LEAT_CHAN_TRY_CLOSE_WITH(c, reason)
#define chan_closed(c)                 LEAT_CHAN_CLOSED(c)
#define chan_reason(c)                 LEAT_CHAN_REASON(c)
#define chan_len(c)                    LEAT_CHAN_LEN(c)
#define chan_cap(c)                    LEAT_CHAN_CAP(c)
#define chan_sender(c)                 LEAT_CHAN_SENDER(c)
#define chan_receiver(c)               LEAT_CHAN_RECEIVER(c)
#define chan_range(v, c)               LEAT_CHAN_RANGE(v, c)
#endif

#endif /* !__cplusplus */

#endif
