/* SPDX-License-Identifier: MIT */
/*
 * Pipelines that split and join: one input for many stages, many inputs for one, and results that may be errors.
 *
 *	{
 *		scope(s, NULL);
 *		recv_chan(long) *primes = pipe_fan_out(s, numbers, 8, long, find_prime);
 *
 *		chan_range(p, pipe_take(s, pipe_fan_in(s, primes, 8), 10))
 *			printf("%ld\n", p);
 *	}
 *
 * All that leat/pipe.h says of stages holds for these: who owns them, when they end and why, what becomes of a
 * value in hand when the scope is done, what the first argument may say, and what panics.  Beside that each panics
 * "pipe: number of channels out of range" for more than a million of them.
 *
 * Arrays.  What takes several inputs takes an array of recv_chan(T) or chan(T), which is read during the call only, and
 * how many there are.  What has several outputs returns such an array, in the scope's memory.  A NULL among inputs
 * is a channel on which nothing ever comes.
 *
 * After the patterns of Cox-Buday's Concurrency in Go, chapter 4; the ordered map after sourcegraph's conc.
 */
#ifndef LEAT_PIPE_JOIN_H
#define LEAT_PIPE_JOIN_H

#include <leat/error.h>
#include <leat/pipe.h>
#include <leat/select.h>

LEAT__BEGIN

/* --- one input, many workers */

/*
 * n stages of pipe_map with one function and one input: each value goes to one of them, whichever comes first.  An
 * array of their n outputs.  Stages are named NAME[0], NAME[1], ...  For work that does not depend on its order.
 * Where nobody needs the outputs one by one, pipe_map with .workers is the same with a single channel, and cheaper.
 */
LEAT_API leat_chan **leat_pipe_fan_out(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t n,
                                       size_t out_bytes,
                                       void (*fn)(const void *in, void *out, void *args),
                                       const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/*
 * pipe_map, whose workers call fn at the same time, but the results come in the order of the input.
 *
 * at.ahead is how many values it may have received without having sent their results (0: two for each worker; up
 * to ten million).  It is also how many values and results there is memory for, and how far the others come while the
 * first is late; with less than one for each worker some of these are idle.  A worker that leaves in fn
 * (leat_goexit) leaves a gap: the results before it are sent, and with the next value that comes the stage ends.
 * Panics "pipe: look-ahead out of range".  Costs a goroutine more than map, and two switches or so a value, 0.1 us.
 */
LEAT_API leat_chan *leat_pipe_map_ordered(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                          size_t out_bytes,
                                          void (*fn)(const void *in, void *out, void *args),
                                          const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/* --- many inputs */

/*
 * The values of n inputs, each input's in its order, all as they come; closed after the last input, at once for n
 * of 0.  Each input has a goroutine, and they send first come, first served: neither a silent input nor a busy one
 * keeps another waiting, and what a value costs does not depend on n.
 */
LEAT_API leat_chan *leat_pipe_fan_in(leat_pipe_opts at, leat_chan *const *in, size_t n,
                                     size_t elem_bytes) LEAT__WARN_UNUSED;

/*
 * For each value of a and the next of b what fn(&a, &b, out, args) writes to out; ends when either ends.  It receives
 * from a first: a value of a's for which b has none is lost.
 */
LEAT_API leat_chan *leat_pipe_zip(leat_pipe_opts at, leat_chan *a, size_t a_bytes, leat_chan *b,
                                  size_t b_bytes, size_t out_bytes,
                                  void (*fn)(const void *a, const void *b, void *out, void *args),
                                  const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/*
 * The values of n inputs, each in ascending order by fn, in ascending order: fn(&x, &y, args) is less than, equal to,
 * or greater than 0, as qsort's.  Of equal values those of the input with the lower number come first, each input's
 * in its order.  It must know the next value of each input that has not ended before it sends one, so a silent input
 * holds up all.  Some log2(n) calls of fn a value, at most twice that.
 */
LEAT_API leat_chan *leat_pipe_merge(leat_pipe_opts at, leat_chan *const *in, size_t n,
                                    size_t elem_bytes,
                                    int (*fn)(const void *a, const void *b, void *args),
                                    const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/*
 * A channel that is closed when one of n inputs, of whatever element types, has a value or is closed, and when the scope
 * is done.  NULL for n of 0, as in the book: of none the first never comes.
 *
 * A value that is its reason is received, and dropped; of those that have one at the same time, one is chosen at
 * random.  The reason of an input that was closed is its own.  One goroutine for any n, which selects: then
 * nothing is left on the inputs, though they never have anything.  Costs some 120 bytes an input, of the scope's memory;
 * of time 30 to 50 ns an input to begin, where they were made in the array's order, else four times that, and 15 ns to
 * end.
 */
LEAT_API leat_chan *leat_pipe_or(leat_pipe_opts at, leat_chan *const *in,
                                 size_t n) LEAT__WARN_UNUSED;

/*
 * The values of in, which may be anybody's, until it is closed or the scope is done: a stage that does nothing.  All
 * stages do the same with an input that is not of their scope, so what needs it is a loop of one's own, such as
 * chan_range; scope_range is a loop that does without the stage.
 */
LEAT_API leat_chan *leat_pipe_or_done(leat_pipe_opts at, leat_chan *in,
                                      size_t in_bytes) LEAT__WARN_UNUSED;

/* --- many outputs; channels of channels */

/*
 * Each value on each of k outputs (at least 1); an array of these.  A value is on all of them before the next is
 * received: it goes at the speed of the slowest, and waits for ever for one that nobody receives from.  The
 * receivers may come in any order.  Once the scope is done the last value may be on some outputs only.
 */
LEAT_API leat_chan **leat_pipe_tee(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                   size_t k) LEAT__WARN_UNUSED;

/*
 * in is a channel of channels: the values of the first until that is closed, then of the second, and so on, until in is
 * closed and the last of them, too.  NULL ones are skipped.  It receives a channel only when it is done with the one
 * before.  The channels are the program's, and must live until they are closed and drained, or until the scope's
 * end.  Why it ended is what in was closed for, else what the last of them was closed for.
 */
LEAT_API leat_chan *leat_pipe_bridge(leat_pipe_opts at, leat_chan *in,
                                     size_t elem_bytes) LEAT__WARN_UNUSED;

/* --- results: a structure of the program's with a value and an error, at some place in it */

typedef struct leat_pipe_result {
	size_t bytes; /* the structure's */
	size_t value_at, value_bytes;
	size_t error_at; /* of a const leat_error *, NULL: there is a value */
} leat_pipe_result;

/*
 * For each value a result: fn(in, value, args) writes the value and returns NULL, or an error, its hold on which goes
 * over.  The result has the error with the stage's name in front ("NAME: MESSAGE", the cause is fn's), and a value that
 * is all zero.  Workers: as for map.
 *
 * Ownership: the errors in results belong to the scope, and live until its end, however many stages pass the
 * result on or drop it; who needs one longer retains it.  Each takes some hundred bytes: a pipeline that runs for
 * ever calls leat_pipe_forget.  Where memory is out the error is &leat_out_of_memory.
 */
LEAT_API leat_chan *
leat_pipe_try_map(leat_pipe_opts at, leat_chan *in, size_t in_bytes, leat_pipe_result result,
                  const leat_error *(*fn)(const void *in, void *value, void *args),
                  const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/* The same for the values of results; those that have an error already are passed on with it, and fn is not called. */
LEAT_API leat_chan *leat_pipe_then(leat_pipe_opts at, leat_chan *in, leat_pipe_result from,
                                   leat_pipe_result result,
                                   const leat_error *(*fn)(const void *in, void *value, void *args),
                                   const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/*
 * The values of results without an error; fn(e, args) is called for each error.  The n-th is too many: after fn the
 * scope fails with it.  It is the scope's cause, and the reason of all that is closed; the code is the error's,
 * -EIO where it has none.  n of 0 or less: any number is right.  The value beside an error is not looked at.
 */
LEAT_API leat_chan *leat_pipe_values(leat_pipe_opts at, leat_chan *in, leat_pipe_result result,
                                     int64_t n, void (*fn)(const leat_error *e, void *args),
                                     const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/*
 * Nobody will use e, an error of a result of s's, any more: free it now.  Not to be called where a tee, say, has shown
 * it to others.  Does nothing if it is not one, and for static ones.  Any goroutine, any thread.
 */
LEAT_API void leat_pipe_forget(leat_scope *s, const leat_error *e);

LEAT__END

#ifndef __cplusplus

/* A variable that is an array of channels to receive from, and what a function asks of it. */
#define LEAT__PIPE_TAKES_ALL(n, ins)                                                               \
	__auto_type LEAT__VAR(from, n) = (ins);                                                        \
	LEAT__CAN_RECV(LEAT__VAR(from, n)[0])
#define LEAT__PIPE_ALL(n)      ((leat_chan *const *)(const void *)LEAT__VAR(from, n))
#define LEAT__PIPE_ALL_ELEM(n) LEAT__ELEM(LEAT__VAR(from, n)[0])

/* LEAT_PIPE_FAN_OUT(at, in, count, Out, fn, .field = value, ...): a recv_chan(Out) *; fn as for pipe_map. */
#define LEAT_PIPE_FAN_OUT(...) LEAT__PIPE_FAN_OUT(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_FAN_OUT(n, at, in, count, Out, fn, ...)                                         \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(Out) *)(void *)leat_pipe_fan_out(                                          \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), (count), LEAT__PIPE_ELEM(Out),           \
		    LEAT__PIPE_FN(n,                                                                       \
		                  "pipe_fan_out takes void fn(const In *in, Out *out, struct fn *args)",   \
		                  void, (const LEAT__PIPE_IN_ELEM(n) *, __typeof__(Out) *, struct fn *),   \
		                  (const void *, void *, void *), fn),                                     \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_FAN_OUT0(at, in, count, Out, fn)                                                 \
	LEAT__PIPE_FAN_OUT0(__COUNTER__, at, in, count, Out, fn)
#define LEAT__PIPE_FAN_OUT0(n, at, in, count, Out, fn)                                             \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(Out) *)(void *)leat_pipe_fan_out(                                          \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), (count), LEAT__PIPE_ELEM(Out),           \
		    LEAT__PIPE_FN(n, "pipe_fan_out0 takes void fn(const In *in, Out *out)", void,          \
		                  (const LEAT__PIPE_IN_ELEM(n) *, __typeof__(Out) *),                      \
		                  (const void *, void *, void *), fn),                                     \
		    NULL, 0);                                                                              \
	})

/* LEAT_PIPE_MAP_ORDERED(at, in, Out, fn, .field = value, ...): as LEAT_PIPE_MAP. */
#define LEAT_PIPE_MAP_ORDERED(...) LEAT__PIPE_MAP(__COUNTER__, leat_pipe_map_ordered, __VA_ARGS__, )
#define LEAT_PIPE_MAP_ORDERED0(at, in, Out, fn)                                                    \
	LEAT__PIPE_MAP0(__COUNTER__, leat_pipe_map_ordered, at, in, Out, fn)

/* LEAT_PIPE_FAN_IN(at, ins, count): a recv_chan of the inputs' elements. */
#define LEAT_PIPE_FAN_IN(at, ins, count) LEAT__PIPE_FAN_IN(__COUNTER__, at, ins, count)
#define LEAT__PIPE_FAN_IN(n, at, ins, count)                                                       \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES_ALL(n, ins);                                                              \
		(LEAT_RECV_CHAN(LEAT__PIPE_ALL_ELEM(n)))leat_pipe_fan_in(                                  \
		    LEAT__PIPE_OPTS(at), LEAT__PIPE_ALL(n), (count), sizeof(LEAT__PIPE_ALL_ELEM(n)));      \
	})

/*
 * LEAT_PIPE_ZIP(at, a, b, Out, fn, .field = value, ...): a recv_chan(Out);
 * void fn(const A *a, const B *b, Out *out, struct fn *args).
 */
#define LEAT_PIPE_ZIP(...) LEAT__PIPE_ZIP(__COUNTER__, __COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_ZIP(n, k, at, a, b, Out, fn, ...)                                               \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, a);                                                                    \
		LEAT__PIPE_TAKES(k, b);                                                                    \
		(LEAT_RECV_CHAN(Out))leat_pipe_zip(                                                        \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), LEAT__PIPE_IN(k), LEAT__PIPE_ELEM(Out),  \
		    LEAT__PIPE_FN(                                                                         \
		        n, "pipe_zip takes void fn(const A *a, const B *b, Out *out, struct fn *args)",    \
		        void,                                                                              \
		        (const LEAT__PIPE_IN_ELEM(n) *, const LEAT__PIPE_IN_ELEM(k) *, __typeof__(Out) *,  \
		         struct fn *),                                                                     \
		        (const void *, const void *, void *, void *), fn),                                 \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_ZIP0(at, a, b, Out, fn)                                                          \
	LEAT__PIPE_ZIP0(__COUNTER__, __COUNTER__, at, a, b, Out, fn)
#define LEAT__PIPE_ZIP0(n, k, at, a, b, Out, fn)                                                   \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, a);                                                                    \
		LEAT__PIPE_TAKES(k, b);                                                                    \
		(LEAT_RECV_CHAN(Out))leat_pipe_zip(                                                        \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), LEAT__PIPE_IN(k), LEAT__PIPE_ELEM(Out),  \
		    LEAT__PIPE_FN(                                                                         \
		        n, "pipe_zip0 takes void fn(const A *a, const B *b, Out *out)", void,              \
		        (const LEAT__PIPE_IN_ELEM(n) *, const LEAT__PIPE_IN_ELEM(k) *, __typeof__(Out) *), \
		        (const void *, const void *, void *, void *), fn),                                 \
		    NULL, 0);                                                                              \
	})

/*
 * LEAT_PIPE_MERGE(at, ins, count, fn, .field = value, ...): a recv_chan of the inputs' elements;
 * int fn(const Elem *a, const Elem *b, struct fn *args).
 */
#define LEAT_PIPE_MERGE(...) LEAT__PIPE_MERGE(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_MERGE(n, at, ins, count, fn, ...)                                               \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES_ALL(n, ins);                                                              \
		(LEAT_RECV_CHAN(LEAT__PIPE_ALL_ELEM(n)))leat_pipe_merge(                                   \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_ALL(n), (count),                                \
		    sizeof(LEAT__PIPE_ALL_ELEM(n)),                                                        \
		    LEAT__PIPE_FN(                                                                         \
		        n, "pipe_merge takes int fn(const Elem *a, const Elem *b, struct fn *args)", int,  \
		        (const LEAT__PIPE_ALL_ELEM(n) *, const LEAT__PIPE_ALL_ELEM(n) *, struct fn *),     \
		        (const void *, const void *, void *), fn),                                         \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_MERGE0(at, ins, count, fn) LEAT__PIPE_MERGE0(__COUNTER__, at, ins, count, fn)
#define LEAT__PIPE_MERGE0(n, at, ins, count, fn)                                                   \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES_ALL(n, ins);                                                              \
		(LEAT_RECV_CHAN(LEAT__PIPE_ALL_ELEM(n)))leat_pipe_merge(                                   \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_ALL(n), (count),                                \
		    sizeof(LEAT__PIPE_ALL_ELEM(n)),                                                        \
		    LEAT__PIPE_FN(n, "pipe_merge0 takes int fn(const Elem *a, const Elem *b)", int,        \
		                  (const LEAT__PIPE_ALL_ELEM(n) *, const LEAT__PIPE_ALL_ELEM(n) *),        \
		                  (const void *, const void *, void *), fn),                               \
		    NULL, 0);                                                                              \
	})

/* LEAT_PIPE_OR(at, c, ...): a recv_chan(leat_empty); up to 8 channels, of the same or of different types. */
#define LEAT_PIPE_OR(at, ...)                                                                      \
	((LEAT_RECV_CHAN(leat_empty))leat_pipe_or(                                                     \
	    LEAT__PIPE_OPTS(at), (leat_chan *const[]){LEAT__PIPE_EACH_CHAN(__VA_ARGS__)},              \
	    sizeof((leat_chan *const[]){LEAT__PIPE_NULLS(__VA_ARGS__)}) / sizeof(leat_chan *)))
#define LEAT__PIPE_CHAN_OF(c) LEAT__PIPE_CHAN(__COUNTER__, c)
#define LEAT__PIPE_CHAN(n, c)                                                                      \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, c);                                                                    \
		LEAT__RAW(LEAT__VAR(from, n));                                                             \
	})
#define LEAT__PIPE_NULL(c) NULL
#define LEAT__PIPE_EACH_CHAN(...)                                                                  \
	LEAT__PIPE_PICK(__VA_ARGS__, LEAT__PIPE_8, LEAT__PIPE_7, LEAT__PIPE_6, LEAT__PIPE_5,           \
	                LEAT__PIPE_4, LEAT__PIPE_3, LEAT__PIPE_2, LEAT__PIPE_1, 0)                     \
	(LEAT__PIPE_CHAN_OF, __VA_ARGS__)
#define LEAT__PIPE_NULLS(...)                                                                      \
	LEAT__PIPE_PICK(__VA_ARGS__, LEAT__PIPE_8, LEAT__PIPE_7, LEAT__PIPE_6, LEAT__PIPE_5,           \
	                LEAT__PIPE_4, LEAT__PIPE_3, LEAT__PIPE_2, LEAT__PIPE_1, 0)                     \
	(LEAT__PIPE_NULL, __VA_ARGS__)
#define LEAT__PIPE_PICK(a, b, c, d, e, f, g, h, name, ...) name
#define LEAT__PIPE_1(x, c)                                 x(c)
#define LEAT__PIPE_2(x, c, ...)                            x(c), LEAT__PIPE_1(x, __VA_ARGS__)
#define LEAT__PIPE_3(x, c, ...)                            x(c), LEAT__PIPE_2(x, __VA_ARGS__)
#define LEAT__PIPE_4(x, c, ...)                            x(c), LEAT__PIPE_3(x, __VA_ARGS__)
#define LEAT__PIPE_5(x, c, ...)                            x(c), LEAT__PIPE_4(x, __VA_ARGS__)
#define LEAT__PIPE_6(x, c, ...)                            x(c), LEAT__PIPE_5(x, __VA_ARGS__)
#define LEAT__PIPE_7(x, c, ...)                            x(c), LEAT__PIPE_6(x, __VA_ARGS__)
#define LEAT__PIPE_8(x, c, ...)                            x(c), LEAT__PIPE_7(x, __VA_ARGS__)

/* LEAT_PIPE_OR_ALL(at, ins, count): the same of an array. */
#define LEAT_PIPE_OR_ALL(at, ins, count) LEAT__PIPE_OR_ALL(__COUNTER__, at, ins, count)
#define LEAT__PIPE_OR_ALL(n, at, ins, count)                                                       \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES_ALL(n, ins);                                                              \
		(LEAT_RECV_CHAN(leat_empty))leat_pipe_or(LEAT__PIPE_OPTS(at), LEAT__PIPE_ALL(n), (count)); \
	})

/* LEAT_PIPE_OR_DONE(at, in): a recv_chan of in's elements. */
#define LEAT_PIPE_OR_DONE(at, in) LEAT__PIPE_OR_DONE(__COUNTER__, at, in)
#define LEAT__PIPE_OR_DONE(n, at, in)                                                              \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))leat_pipe_or_done(LEAT__PIPE_OPTS(at),              \
		                                                         LEAT__PIPE_IN(n));                \
	})

/*
 * LEAT_SCOPE_RANGE(v, c, s) statement: chan_range that ends when the scope s is done, too, even while it waits; with
 * a scope that is done already it does not receive.  c and s are evaluated once.
 */
#define LEAT_SCOPE_RANGE(v, c, s) LEAT__SCOPE_RANGE(__COUNTER__, v, c, s)
#define LEAT__SCOPE_RANGE(n, v, c, s)                                                              \
	for (leat_chan * LEAT__CAT(leat__c, n) = __extension__({                                       \
		     LEAT__CAN_RECV(c);                                                                    \
		     LEAT__RAW(c);                                                                         \
	     }),                                                                                       \
	                                    *LEAT__CAT(leat__l, n) = (leat_chan *)1;                   \
	     LEAT__CAT(leat__l, n); LEAT__CAT(leat__l, n) = NULL)                                      \
		for (leat_scope * LEAT__CAT(leat__s, n) = (s), *LEAT__CAT(leat__m, n) = (leat_scope *)1;   \
		     LEAT__CAT(leat__m, n); LEAT__CAT(leat__m, n) = NULL)                                  \
			for (LEAT__ELEM(c) v; leat_chan_recv_ctx(LEAT__CAT(leat__c, n), (void *)&v,            \
			                                         LEAT__CAT(leat__s, n)) == 0;)

/* LEAT_PIPE_TEE(at, in, k): a recv_chan(Elem) *. */
#define LEAT_PIPE_TEE(at, in, k) LEAT__PIPE_TEE(__COUNTER__, at, in, k)
#define LEAT__PIPE_TEE(n, at, in, k)                                                               \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)) *)(void *)leat_pipe_tee(LEAT__PIPE_OPTS(at),        \
		                                                               LEAT__PIPE_IN(n), (k));     \
	})

/* LEAT_PIPE_BRIDGE(at, in): a recv_chan of the elements of in's channels. */
#define LEAT_PIPE_BRIDGE(at, in) LEAT__PIPE_BRIDGE(__COUNTER__, at, in)
#define LEAT__PIPE_BRIDGE(n, at, in)                                                               \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		LEAT__CAN_RECV(*(LEAT__PIPE_IN_ELEM(n) *)NULL);                                            \
		(LEAT_RECV_CHAN(LEAT__ELEM(*(LEAT__PIPE_IN_ELEM(n) *)NULL)))leat_pipe_bridge(              \
		    LEAT__PIPE_OPTS(at), LEAT__RAW(LEAT__VAR(from, n)),                                    \
		    sizeof(LEAT__ELEM(*(LEAT__PIPE_IN_ELEM(n) *)NULL)));                                   \
	})

/* How a structure R with members value and error is laid out. */
#define LEAT__PIPE_VALUE(R) __typeof__(((__typeof__(R) *)NULL)->value)
#define LEAT__PIPE_RESULT(R)                                                                       \
	__extension__({                                                                                \
		_Static_assert(__builtin_types_compatible_p(__typeof__(((__typeof__(R) *)NULL)->error),    \
		                                            const leat_error *),                           \
		               "the member error of a result is to be a const leat_error *");              \
		(leat_pipe_result){sizeof(__typeof__(R)), offsetof(__typeof__(R), value),                  \
		                   sizeof(LEAT__PIPE_VALUE(R)), offsetof(__typeof__(R), error)};           \
	})

/*
 * LEAT_PIPE_TRY_MAP(at, in, Result, fn, .field = value, ...): a recv_chan(Result);
 * const leat_error *fn(const In *in, Value *value, struct fn *args).
 */
#define LEAT_PIPE_TRY_MAP(...) LEAT__PIPE_TRY_MAP(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_TRY_MAP(n, at, in, R, fn, ...)                                                  \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(R))leat_pipe_try_map(                                                      \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), LEAT__PIPE_RESULT(R),                    \
		    LEAT__PIPE_FN(n,                                                                       \
		                  "pipe_try_map takes const leat_error *fn(const In *in, Value *value, "   \
		                  "struct fn *args)",                                                      \
		                  const leat_error *,                                                      \
		                  (const LEAT__PIPE_IN_ELEM(n) *, LEAT__PIPE_VALUE(R) *, struct fn *),     \
		                  (const void *, void *, void *), fn),                                     \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_TRY_MAP0(at, in, R, fn) LEAT__PIPE_TRY_MAP0(__COUNTER__, at, in, R, fn)
#define LEAT__PIPE_TRY_MAP0(n, at, in, R, fn)                                                      \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(R))leat_pipe_try_map(                                                      \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), LEAT__PIPE_RESULT(R),                    \
		    LEAT__PIPE_FN(                                                                         \
		        n, "pipe_try_map0 takes const leat_error *fn(const In *in, Value *value)",         \
		        const leat_error *, (const LEAT__PIPE_IN_ELEM(n) *, LEAT__PIPE_VALUE(R) *),        \
		        (const void *, void *, void *), fn),                                               \
		    NULL, 0);                                                                              \
	})

/*
 * LEAT_PIPE_THEN(at, in, Result, fn, .field = value, ...): a recv_chan(Result);
 * const leat_error *fn(const InValue *in, Value *value, struct fn *args), in's elements being results, too.
 */
#define LEAT_PIPE_THEN(...) LEAT__PIPE_THEN(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_THEN(n, at, in, R, fn, ...)                                                     \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(R))leat_pipe_then(                                                         \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__RAW(LEAT__VAR(from, n)),                             \
		    LEAT__PIPE_RESULT(LEAT__PIPE_IN_ELEM(n)), LEAT__PIPE_RESULT(R),                        \
		    LEAT__PIPE_FN(n,                                                                       \
		                  "pipe_then takes const leat_error *fn(const InValue *in, Value *value, " \
		                  "struct fn *args)",                                                      \
		                  const leat_error *,                                                      \
		                  (const LEAT__PIPE_VALUE(LEAT__PIPE_IN_ELEM(n)) *, LEAT__PIPE_VALUE(R) *, \
		                   struct fn *),                                                           \
		                  (const void *, void *, void *), fn),                                     \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_THEN0(at, in, R, fn) LEAT__PIPE_THEN0(__COUNTER__, at, in, R, fn)
#define LEAT__PIPE_THEN0(n, at, in, R, fn)                                                         \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(R))leat_pipe_then(                                                         \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__RAW(LEAT__VAR(from, n)),                             \
		    LEAT__PIPE_RESULT(LEAT__PIPE_IN_ELEM(n)), LEAT__PIPE_RESULT(R),                        \
		    LEAT__PIPE_FN(                                                                         \
		        n, "pipe_then0 takes const leat_error *fn(const InValue *in, Value *value)",       \
		        const leat_error *,                                                                \
		        (const LEAT__PIPE_VALUE(LEAT__PIPE_IN_ELEM(n)) *, LEAT__PIPE_VALUE(R) *),          \
		        (const void *, void *, void *), fn),                                               \
		    NULL, 0);                                                                              \
	})

/*
 * LEAT_PIPE_VALUES(at, in, errors, fn, .field = value, ...): a recv_chan of the values of in's results;
 * void fn(const leat_error *e, struct fn *args).
 */
#define LEAT_PIPE_VALUES(...) LEAT__PIPE_VALUES(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_VALUES(n, at, in, errors, fn, ...)                                              \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_VALUE(LEAT__PIPE_IN_ELEM(n))))leat_pipe_values(                 \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__RAW(LEAT__VAR(from, n)),                             \
		    LEAT__PIPE_RESULT(LEAT__PIPE_IN_ELEM(n)), (errors),                                    \
		    LEAT__PIPE_FN(n, "pipe_values takes void fn(const leat_error *e, struct fn *args)",    \
		                  void, (const leat_error *, struct fn *), (const leat_error *, void *),   \
		                  fn),                                                                     \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_VALUES0(at, in, errors, fn) LEAT__PIPE_VALUES0(__COUNTER__, at, in, errors, fn)
#define LEAT__PIPE_VALUES0(n, at, in, errors, fn)                                                  \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_VALUE(LEAT__PIPE_IN_ELEM(n))))leat_pipe_values(                 \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__RAW(LEAT__VAR(from, n)),                             \
		    LEAT__PIPE_RESULT(LEAT__PIPE_IN_ELEM(n)), (errors),                                    \
		    LEAT__PIPE_FN(n, "pipe_values0 takes void fn(const leat_error *e)", void,              \
		                  (const leat_error *), (const leat_error *, void *), fn),                 \
		    NULL, 0);                                                                              \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define pipe_fan_out(...)                  LEAT_PIPE_FAN_OUT(__VA_ARGS__)
#define pipe_fan_out0(at, in, n, Out, fn)  LEAT_PIPE_FAN_OUT0(at, in, n, Out, fn)
#define pipe_map_ordered(...)              LEAT_PIPE_MAP_ORDERED(__VA_ARGS__)
#define pipe_map_ordered0(at, in, Out, fn) LEAT_PIPE_MAP_ORDERED0(at, in, Out, fn)
#define pipe_fan_in(at, ins, n)            LEAT_PIPE_FAN_IN(at, ins, n)
#define pipe_zip(...)                      LEAT_PIPE_ZIP(__VA_ARGS__)
#define pipe_zip0(at, a, b, Out, fn)       LEAT_PIPE_ZIP0(at, a, b, Out, fn)
#define pipe_merge(...)                    LEAT_PIPE_MERGE(__VA_ARGS__)
#define pipe_merge0(at, ins, n, fn)        LEAT_PIPE_MERGE0(at, ins, n, fn)
#define pipe_or(...)                       LEAT_PIPE_OR(__VA_ARGS__)
#define pipe_or_all(at, ins, n)            LEAT_PIPE_OR_ALL(at, ins, n)
#define pipe_or_done(at, in)               LEAT_PIPE_OR_DONE(at, in)
#define pipe_tee(at, in, k)                LEAT_PIPE_TEE(at, in, k)
#define pipe_bridge(at, in)                LEAT_PIPE_BRIDGE(at, in)
#define pipe_try_map(...)                  LEAT_PIPE_TRY_MAP(__VA_ARGS__)
#define pipe_try_map0(at, in, R, fn)       LEAT_PIPE_TRY_MAP0(at, in, R, fn)
#define pipe_then(...)                     LEAT_PIPE_THEN(__VA_ARGS__)
#define pipe_then0(at, in, R, fn)          LEAT_PIPE_THEN0(at, in, R, fn)
#define pipe_values(...)                   LEAT_PIPE_VALUES(__VA_ARGS__)
#define pipe_values0(at, in, errors, fn)   LEAT_PIPE_VALUES0(at, in, errors, fn)
#define pipe_forget(s, e)                  leat_pipe_forget(s, e)
#define scope_range(v, in, s)              LEAT_SCOPE_RANGE(v, in, s)
#endif

#endif /* !__cplusplus */

#endif
