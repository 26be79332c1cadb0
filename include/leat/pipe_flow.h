/* SPDX-License-Identifier: MIT */
/*
 * Stages about how values flow: buffers and what becomes of values that find no room, batches, pace, time-outs, and
 * type assertions.
 *
 *	struct rows {
 *		size_t n;
 *		struct row items[64];
 *	};
 *
 *	recv_chan(struct row) all = pipe_buffer(s, events, 1000, LEAT_PIPE_DROP_OLDEST);
 *	recv_chan(struct rows) some = pipe_batch(s, all, struct rows, LEAT_SECOND);
 *	pipe_each0(s, some, insert);
 *	...
 *	printf("%" PRIu64 " were lost\n", pipe_lost(s, all));
 *
 * What leat/pipe.h says of stages holds for these: the scope or pipe_at(scope, ...) that comes first, their ends, the
 * reasons why they ended, and how they panic.  They have one worker each, but for unbatch.
 *
 * A buffer does not make a pipeline faster: its slowest stage takes as long as before.  It lets the stages before
 * that one go on by so many values, evens out bursts, and hides a consumer that is too slow until it is full.  Where
 * more comes than leaves, something must give: the sender waits (LEAT_PIPE_BLOCK), or values are lost.  Those
 * are counted: pipe_lost.
 *
 * Durations are in nanoseconds.  One that is not positive, where nothing else is said, panics "pipe: duration is not
 * positive".  Stages that wait by the clock take a timer meanwhile, and memory for it: "out of memory" is a panic in
 * the stage then.
 */
#ifndef LEAT_PIPE_FLOW_H
#define LEAT_PIPE_FLOW_H

#include <leat/any.h>
#include <leat/limiter.h>
#include <leat/pipe.h>

#include <stddef.h>

LEAT__BEGIN

/* --- buffers */

/* What becomes of a value for which there is no room. */
typedef enum leat_pipe_policy {
	LEAT_PIPE_BLOCK,       /* it waits, and so does who sends it */
	LEAT_PIPE_DROP_NEWEST, /* it is lost */
	LEAT_PIPE_DROP_OLDEST, /* the oldest in the buffer is lost for it */
	LEAT_PIPE_LATEST,      /* the same with room for one: who receives gets the latest */
} leat_pipe_policy;

/*
 * The values of in, of which n (for LATEST 1, whatever n is) have room.  In order.  But with BLOCK, who sends to
 * in waits no longer than the stage takes to receive.  The room is that of the output, whatever at.cap says: chan_len
 * tells how much of it is used.
 *
 * n of 0 is a buffer without room: BLOCK hands over one after the other, and DROP_NEWEST what somebody waits for.
 * Panics "pipe: negative capacity", "pipe: buffer without room" for DROP_OLDEST with n of 0, "pipe: no such
 * policy".
 */
LEAT_API leat_chan *leat_pipe_buffer(leat_pipe_opts at, leat_chan *in, size_t in_bytes, ptrdiff_t n,
                                     leat_pipe_policy policy) LEAT__WARN_UNUSED;

/*
 * As DROP_NEWEST, and fn(in, args) is called with each value that finds no room, on the stage's goroutine: while it
 * runs nothing is received.
 */
LEAT_API leat_chan *leat_pipe_reject(leat_pipe_opts at, leat_chan *in, size_t in_bytes, ptrdiff_t n,
                                     void (*fn)(const void *in, void *args), const void *args,
                                     size_t args_bytes) LEAT__WARN_UNUSED;

/*
 * How many values the stage of s whose output is out has received and will not send: those of a buffer that found no
 * room, of sample and debounce those that a later one replaced, of cast_ok those of another type.  0 for all other
 * stages.
 *
 * It may be a moment old while the stage runs; after out was drained, or scope_wait, it is exact.  Values that are
 * dropped because the scope is done do not count.  Any goroutine, any thread, until the scope's end.  Walks the scope's
 * stages, newest first.  Panics "pipe of nil scope", and "pipe: not the output of a stage of the scope".
 */
LEAT_API uint64_t leat_pipe_lost(leat_scope *s, leat_chan *out) LEAT__WARN_UNUSED;

/* --- batches */

/* Where a batch, a structure of the program's, has the number of its values, a size_t, and their array, and for how
   many that has room. */
typedef struct leat_pipe_batch_layout {
	size_t n_at, items_at;
	size_t room;
} leat_pipe_batch_layout;

/*
 * Batches of the values of in, in order: each as soon as it is full, or wait_ns after its first value came.  None is
 * empty.  With a wait_ns of 0 or less it has what is there without waiting; with LEAT_FOREVER all but the last are
 * full.  At the end of in the last one comes without delay.
 *
 * A batch is copied into the channel and out of it, as any value is: it is the receiver's, and nothing needs to
 * be freed.  Items behind the first n are left from earlier batches.  A stage has one in hand besides.
 * Panics "pipe: batches without room".
 */
LEAT_API leat_chan *leat_pipe_batch(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                    size_t out_bytes, const leat_pipe_batch_layout *layout,
                                    int64_t wait_ns) LEAT__WARN_UNUSED;

/*
 * The values of in's batches, one by one; in order where there is one worker.  A batch that claims more values than it
 * has room for is a panic of the stage, "pipe: N values in a batch that has room for M".
 */
LEAT_API leat_chan *leat_pipe_unbatch(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                      size_t out_bytes,
                                      const leat_pipe_batch_layout *layout) LEAT__WARN_UNUSED;

/* --- pace */

/*
 * All values, at most n in per_ns, evenly: one every per_ns / n.  Who sends to in waits.  Where the turn of a value
 * would come after the scope's deadline the stage ends at once, the reason being -ETIME's error.
 * Panics "pipe: rate is not positive".
 */
LEAT_API leat_chan *leat_pipe_throttle(leat_pipe_opts at, leat_chan *in, size_t in_bytes, int64_t n,
                                       int64_t per_ns) LEAT__WARN_UNUSED;

/*
 * The same by a limiter of the program's, which may allow bursts, be shared with others, and be changed meanwhile;
 * it must live until the scope's end.  Where its burst of 0 lets nothing pass the stage ends, too, the reason being
 * -E2BIG's error.
 */
LEAT_API leat_chan *leat_pipe_limit(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                    leat_limiter *limiter) LEAT__WARN_UNUSED;

/*
 * At most one value every every_ns: the first at once, then the latest of those that came meanwhile.  The others are
 * lost.  At the end of in the latest comes without delay.
 */
LEAT_API leat_chan *leat_pipe_sample(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                     int64_t every_ns) LEAT__WARN_UNUSED;

/* A value when none has come for quiet_ns after it; those that were followed sooner are lost.  At the end of in
   the last one comes without delay. */
LEAT_API leat_chan *leat_pipe_debounce(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                       int64_t quiet_ns) LEAT__WARN_UNUSED;

/*
 * All values, as long as the stage need not wait for one for longer than silence_ns.  Then it sends a copy of
 * otherwise, an element, and goes on; where that is NULL it ends, the reason being -ETIMEDOUT's error, and the scope
 * is left to go on.  Time during which nobody takes a value from the stage does not count.
 */
LEAT_API leat_chan *leat_pipe_timeout(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                      int64_t silence_ns, const void *otherwise) LEAT__WARN_UNUSED;

/* --- type assertions.  in is a channel of leat_any; the output's elements are of the type */

/*
 * The values, which are to be of that type.  The first that is not fails the scope: its cause, and the reason of the
 * output, is an error with the code -EINVAL that says "NAME: value 3 is string, not int", counted from 1.
 * After Go's v.(T).
 */
LEAT_API leat_chan *leat_pipe_cast(leat_pipe_opts at, leat_chan *in,
                                   const leat_type *type) LEAT__WARN_UNUSED;

/* Those of the values that are of that type.  The others are counted: leat_pipe_lost.  After Go's v, ok := v.(T). */
LEAT_API leat_chan *leat_pipe_cast_ok(leat_pipe_opts at, leat_chan *in,
                                      const leat_type *type) LEAT__WARN_UNUSED;

LEAT__END

#ifndef __cplusplus

/* LEAT_PIPE_BUFFER(at, in, room, policy): a recv_chan of in's elements. */
#define LEAT_PIPE_BUFFER(at, in, room, policy)                                                     \
	LEAT__PIPE_SAME(__COUNTER__, leat_pipe_buffer, at, in, (room), (policy))
#define LEAT__PIPE_SAME(n, stage, at, in, ...)                                                     \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))stage(LEAT__PIPE_OPTS(at), LEAT__PIPE_IN(n),        \
		                                             __VA_ARGS__);                                 \
	})

/* LEAT_PIPE_REJECT(at, in, room, fn, .field = value, ...): the same; void fn(const In *in, struct fn *args). */
#define LEAT_PIPE_REJECT(...) LEAT__PIPE_REJECT(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_REJECT(n, at, in, room, fn, ...)                                                \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))leat_pipe_reject(                                   \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), (room),                                  \
		    LEAT__PIPE_FN(n, "pipe_reject takes void fn(const In *in, struct fn *args)", void,     \
		                  (const LEAT__PIPE_IN_ELEM(n) *, struct fn *), (const void *, void *),    \
		                  fn),                                                                     \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_REJECT0(at, in, room, fn) LEAT__PIPE_REJECT0(__COUNTER__, at, in, room, fn)
#define LEAT__PIPE_REJECT0(n, at, in, room, fn)                                                    \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))leat_pipe_reject(                                   \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), (room),                                  \
		    LEAT__PIPE_FN(n, "pipe_reject0 takes void fn(const In *in)", void,                     \
		                  (const LEAT__PIPE_IN_ELEM(n) *), (const void *, void *), fn),            \
		    NULL, 0);                                                                              \
	})

#define LEAT_PIPE_LOST(s, c)                                                                       \
	__extension__({                                                                                \
		LEAT__IS_CHAN(c);                                                                          \
		leat_pipe_lost((s), LEAT__RAW(c));                                                         \
	})

/* The items of a batch of type B, and where they are. */
#define LEAT__PIPE_ITEMS(B)     (((__typeof__(B) *)0)->items)
#define LEAT__PIPE_ITEM_TYPE(B) __typeof__(LEAT__PIPE_ITEMS(B)[0])
#define LEAT__PIPE_LAYOUT(B)                                                                       \
	(&(const leat_pipe_batch_layout){                                                              \
	    offsetof(__typeof__(B), n), offsetof(__typeof__(B), items),                                \
	    sizeof(LEAT__PIPE_ITEMS(B)) /                                                              \
	        (sizeof(LEAT__PIPE_ITEMS(B)[0]) + !sizeof(LEAT__PIPE_ITEMS(B)[0]))})
#define LEAT__PIPE_IS_BATCH(B)                                                                     \
	_Static_assert(__builtin_types_compatible_p(__typeof__(((__typeof__(B) *)0)->n), size_t),      \
	               "a batch has a size_t n and an array items")

/* LEAT_PIPE_BATCH(at, in, B, wait_ns): a recv_chan(B), a structure with `size_t n` and an array `items` of in's
   elements. */
#define LEAT_PIPE_BATCH(at, in, B, wait_ns) LEAT__PIPE_BATCH(__COUNTER__, at, in, B, wait_ns)
#define LEAT__PIPE_BATCH(n_, at, in, B, wait_ns)                                                   \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n_, in);                                                                  \
		LEAT__PIPE_IS_BATCH(B);                                                                    \
		_Static_assert(                                                                            \
		    __builtin_types_compatible_p(LEAT__PIPE_ITEM_TYPE(B), LEAT__PIPE_IN_ELEM(n_)),         \
		    "the items of a batch are of the type that comes in");                                 \
		(LEAT_RECV_CHAN(B))leat_pipe_batch(LEAT__PIPE_OPTS(at), LEAT__PIPE_IN(n_),                 \
		                                   LEAT__PIPE_ELEM(B), LEAT__PIPE_LAYOUT(B), (wait_ns));   \
	})

/* LEAT_PIPE_UNBATCH(at, in): a recv_chan of the items of in's elements. */
#define LEAT_PIPE_UNBATCH(at, in) LEAT__PIPE_UNBATCH(__COUNTER__, at, in)
#define LEAT__PIPE_UNBATCH(n_, at, in)                                                             \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n_, in);                                                                  \
		LEAT__PIPE_IS_BATCH(LEAT__PIPE_IN_ELEM(n_));                                               \
		(LEAT_RECV_CHAN(LEAT__PIPE_ITEM_TYPE(LEAT__PIPE_IN_ELEM(n_))))leat_pipe_unbatch(           \
		    LEAT__PIPE_OPTS(at), LEAT__PIPE_IN(n_),                                                \
		    sizeof(LEAT__PIPE_ITEM_TYPE(LEAT__PIPE_IN_ELEM(n_))),                                  \
		    LEAT__PIPE_LAYOUT(LEAT__PIPE_IN_ELEM(n_)));                                            \
	})

/* Each a recv_chan of in's elements. */
#define LEAT_PIPE_THROTTLE(at, in, count, per_ns)                                                  \
	LEAT__PIPE_SAME(__COUNTER__, leat_pipe_throttle, at, in, (count), (per_ns))
#define LEAT_PIPE_LIMIT(at, in, limiter)                                                           \
	LEAT__PIPE_SAME(__COUNTER__, leat_pipe_limit, at, in, (limiter))
#define LEAT_PIPE_SAMPLE(at, in, every_ns)                                                         \
	LEAT__PIPE_SAME(__COUNTER__, leat_pipe_sample, at, in, (every_ns))
#define LEAT_PIPE_DEBOUNCE(at, in, quiet_ns)                                                       \
	LEAT__PIPE_SAME(__COUNTER__, leat_pipe_debounce, at, in, (quiet_ns))
#define LEAT_PIPE_TIMEOUT(at, in, silence_ns)                                                      \
	LEAT__PIPE_SAME(__COUNTER__, leat_pipe_timeout, at, in, (silence_ns), NULL)

/* LEAT_PIPE_TIMEOUT_OR(at, in, silence_ns, value): the value, an element, or {...}, instead of the end. */
#define LEAT_PIPE_TIMEOUT_OR(...) LEAT__PIPE_TIMEOUT_OR(__COUNTER__, __VA_ARGS__)
#define LEAT__PIPE_TIMEOUT_OR(n, at, in, silence_ns, ...)                                          \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		LEAT__PIPE_IN_ELEM(n) LEAT__VAR(otherwise, n) = __VA_ARGS__;                               \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))leat_pipe_timeout(                                  \
		    LEAT__PIPE_OPTS(at), LEAT__PIPE_IN(n), (silence_ns), &LEAT__VAR(otherwise, n));        \
	})

/* LEAT_PIPE_CAST(at, in, T), LEAT_PIPE_CAST_OK: a recv_chan of T, a type of C or a name of LEAT_TYPE. */
#define LEAT_PIPE_CAST(at, in, T)    LEAT__PIPE_CAST(__COUNTER__, leat_pipe_cast, at, in, T)
#define LEAT_PIPE_CAST_OK(at, in, T) LEAT__PIPE_CAST(__COUNTER__, leat_pipe_cast_ok, at, in, T)
#define LEAT__PIPE_CAST(n, stage, at, in, T)                                                       \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		LEAT__TYPE_CHECK(T);                                                                       \
		_Static_assert(__builtin_types_compatible_p(LEAT__PIPE_IN_ELEM(n), leat_any),              \
		               "only a leat_any has a type to be asserted");                               \
		(LEAT_RECV_CHAN(LEAT__TYPE_C(T)))stage(LEAT__PIPE_OPTS(at), LEAT__RAW(LEAT__VAR(from, n)), \
		                                       LEAT_TYPE_OF(T));                                   \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define pipe_buffer(at, in, n, policy)   LEAT_PIPE_BUFFER(at, in, n, policy)
#define pipe_reject(...)                 LEAT_PIPE_REJECT(__VA_ARGS__)
#define pipe_reject0(at, in, n, fn)      LEAT_PIPE_REJECT0(at, in, n, fn)
#define pipe_lost(s, c)                  LEAT_PIPE_LOST(s, c)
#define pipe_batch(at, in, B, wait_ns)   LEAT_PIPE_BATCH(at, in, B, wait_ns)
#define pipe_unbatch(at, in)             LEAT_PIPE_UNBATCH(at, in)
#define pipe_throttle(at, in, n, per_ns) LEAT_PIPE_THROTTLE(at, in, n, per_ns)
#define pipe_limit(at, in, limiter)      LEAT_PIPE_LIMIT(at, in, limiter)
#define pipe_sample(at, in, every_ns)    LEAT_PIPE_SAMPLE(at, in, every_ns)
#define pipe_debounce(at, in, quiet_ns)  LEAT_PIPE_DEBOUNCE(at, in, quiet_ns)
#define pipe_timeout(at, in, silence_ns) LEAT_PIPE_TIMEOUT(at, in, silence_ns)
#define pipe_timeout_or(...)             LEAT_PIPE_TIMEOUT_OR(__VA_ARGS__)
#define pipe_cast(at, in, T)             LEAT_PIPE_CAST(at, in, T)
#define pipe_cast_ok(at, in, T)          LEAT_PIPE_CAST_OK(at, in, T)
#endif

#endif /* !__cplusplus */

#endif
