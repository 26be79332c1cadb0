/* SPDX-License-Identifier: MIT */
/*
 * Pipelines: stages joined by channels, all of them a scope's.
 *
 *	struct multiply { int by; };
 *	static void multiply(const int *in, int *out, struct multiply *a) { *out = *in * a->by; }
 *
 *	{
 *		scope(s, NULL);
 *		recv_chan(int) ones = pipe_repeat(s, int, 1, 2, 3);
 *		recv_chan(int) some = pipe_take(s, ones, 10);
 *		chan_range(v, pipe_map(s, some, int, multiply, .by = 2))
 *			printf("%d\n", v);
 *	}                                 cancelled, joined, freed: on every way out
 *
 * A stage is a goroutine, or several workers.  It receives from its input, sends on a channel of its own, which it
 * returns as one that can only be received from, and closes that when its input is closed and drained, when it has
 * nothing more to say, and when the scope is done.  Its channel is unbuffered unless it was asked for a buffer.
 *
 * Who leaves early.  A consumer may stop receiving at any time; the stages before it then wait, and end with
 * the scope, which is cancelled by scope_cancel, by its deadline, by its parent, and by leaving its block.  Then each
 * stage ends as soon as the function that it is in returns: what it waits to receive or to send is given up, and a
 * value that it had in hand is dropped.
 *
 * Functions.  A stage's own function gets its input by pointer and writes its output by pointer; both are only there
 * during the call.  As go does, pipe_map(s, in, Out, fn, .field = value, ...) copies a struct fn, whose address
 * is its last argument at each call, all workers' alike; pipe_map0(s, in, Out, fn) is for functions without.
 * They run on the stage's goroutine and may use all of leat.  A stage whose function calls leat_goexit ends.
 *
 * Why it ended.  If a stage's input was closed for a reason (chan_close_with, or a stage that failed), that is the
 * reason for which its output is closed: who has drained a pipeline finds it with chan_reason.  Where the scope is
 * done it is leat_ctx_cause's.
 *
 * The first argument of all is the scope, or pipe_at(scope, ...), which says more:
 *
 *	pipe_map(pipe_at(s, .name = "parse", .workers = 4, .cap = 16), lines, struct row, parse)
 *
 * or the address of a leat_pipe_opts, for what several stages have in common.
 *
 * What is said here of a scope's memory holds for all: a stage takes some hundred bytes, a channel and its
 * goroutines, until the scope's block is left.  All of it panics "pipe of nil scope", and "out of memory".  Any
 * goroutine, any thread, while it may use the scope.  A limit on the scope's goroutines counts stages, too.
 *
 * After the pipelines of Cox-Buday's Concurrency in Go, and x/sync's errgroup.
 */
#ifndef LEAT_PIPE_H
#define LEAT_PIPE_H

#include <leat/chan.h>
#include <leat/scope.h>

LEAT__BEGIN

/* What a panic in a stage's function does. */
typedef enum leat_pipe_panics {
	LEAT_PIPE_CRASH, /* end the process with a report, as a panic does in any goroutine */
	LEAT_PIPE_FAIL, /* fail the scope: its cause, and the reason of the stage's output, is an error that says
	                    "NAME: panic: MESSAGE"; its code is -EIO */
} leat_pipe_panics;

/* How to make a stage; zero-initialised, every field but the scope has its default. */
typedef struct leat_pipe_opts {
	leat_scope *scope;
	const char *
	    name; /* for reports; must live as long as the scope.  NULL: that of the function, or of the kind */
	ptrdiff_t cap; /* values that its output has room for; 0: none */
	int workers;   /* goroutines, for the stages that say so; 0: one */
	leat_pipe_panics panics;
	int ahead; /* for pipe_map_ordered (leat/pipe_join.h): values that it has received and not sent; 0: two for
	              each worker */
} leat_pipe_opts;

/* --- sources: stages without an input */

/* The n elements at array, in order.  The array is read while the stage runs, and must live as long. */
LEAT_API leat_chan *leat_pipe_from_array(leat_pipe_opts at, const void *array, size_t n,
                                         size_t elem_bytes) LEAT__WARN_UNUSED;

/* What fn(out, args) writes to out, as long as it returns true.  Workers call it at the same time. */
LEAT_API leat_chan *leat_pipe_from(leat_pipe_opts at, size_t elem_bytes,
                                   bool (*fn)(void *out, void *args), const void *args,
                                   size_t args_bytes) LEAT__WARN_UNUSED;

/* The n values at values, which are copied, again and again.  n of 0: nothing, closed at once. */
LEAT_API leat_chan *leat_pipe_repeat(leat_pipe_opts at, const void *values, size_t n,
                                     size_t elem_bytes) LEAT__WARN_UNUSED;

/* What fn(out, args) writes to out, again and again.  Workers call it at the same time.  Each has called it at most
   once more than it has sent. */
LEAT_API leat_chan *leat_pipe_repeat_fn(leat_pipe_opts at, size_t elem_bytes,
                                        void (*fn)(void *out, void *args), const void *args,
                                        size_t args_bytes) LEAT__WARN_UNUSED;

/* --- stages of one input, whose elements have in_bytes bytes.  in: any channel, which must live until the scope's
   end; of NULL nothing ever comes */

/* The first n values (none for n < 1); no more than these are received. */
LEAT_API leat_chan *leat_pipe_take(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                   int64_t n) LEAT__WARN_UNUSED;

/* The values before the first for which fn(in, args) is false, which is lost. */
LEAT_API leat_chan *leat_pipe_take_while(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                         bool (*fn)(const void *in, void *args), const void *args,
                                         size_t args_bytes) LEAT__WARN_UNUSED;

/* For each value what fn(in, out, args) writes to out.  With several workers in whatever order they are done. */
LEAT_API leat_chan *leat_pipe_map(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                  size_t out_bytes,
                                  void (*fn)(const void *in, void *out, void *args),
                                  const void *args, size_t args_bytes) LEAT__WARN_UNUSED;

/* The values for which fn(in, args) is true.  Workers: as for map. */
LEAT_API leat_chan *leat_pipe_filter(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                     bool (*fn)(const void *in, void *args), const void *args,
                                     size_t args_bytes) LEAT__WARN_UNUSED;

/* --- sinks */

/* Call fn(in, args) for each value, on a goroutine of its own, or by several workers.  scope_wait tells when all is
   done. */
LEAT_API void leat_pipe_each(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                             void (*fn)(const void *in, void *args), const void *args,
                             size_t args_bytes);

/*
 * Receive, as the caller, until in is closed and drained or the scope is done: all values, in order, as an array in
 * the scope's memory, and their number in *n.  Where memory is out it panics.
 */
LEAT_API void *leat_pipe_collect(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t *n);

LEAT__END

#ifndef __cplusplus

static inline leat_pipe_opts leat__pipe_in_scope(leat_scope *s)
{
	return (leat_pipe_opts){.scope = s};
}

static inline leat_pipe_opts leat__pipe_as_said(const leat_pipe_opts *at)
{
	return at ? *at : (leat_pipe_opts){0};
}

static inline leat_pipe_opts leat__pipe_called(leat_pipe_opts at, const char *name)
{
	if (!at.name)
		at.name = name;
	return at;
}

/* LEAT_PIPE_AT(scope, .field = value, ...): how and where to make a stage, for the first argument of the others. */
#define LEAT_PIPE_AT(...)     LEAT__PIPE_AT(__VA_ARGS__, )
#define LEAT__PIPE_AT(s, ...) (&(const leat_pipe_opts){.scope = (s), __VA_ARGS__})

/* What at, a scope or LEAT_PIPE_AT, says; of a stage that is named after fn. */
#define LEAT__PIPE_OPTS(at)                                                                        \
	(_Generic((at), leat_scope * : leat__pipe_in_scope, default : leat__pipe_as_said)(at))
#define LEAT__PIPE_OPTS_FN(at, fn) leat__pipe_called(LEAT__PIPE_OPTS(at), #fn)

/* A variable that is in, which can be received from: stages nest, and each is to be there once.  Then, what a function
   asks of it. */
#define LEAT__PIPE_TAKES(n, in)                                                                    \
	__auto_type LEAT__VAR(from, n) = (in);                                                         \
	LEAT__CAN_RECV(LEAT__VAR(from, n))
#define LEAT__PIPE_IN(n)      LEAT__RAW(LEAT__VAR(from, n)), sizeof(LEAT__ELEM(LEAT__VAR(from, n)))
#define LEAT__PIPE_IN_ELEM(n) LEAT__ELEM(LEAT__VAR(from, n))

/* fn, which must be a function of that type (the text says what that is), as one of the library's. */
#define LEAT__PIPE_FN(n, text, result, params, plain, fn)                                          \
	__extension__({                                                                                \
		_Static_assert(__builtin_types_compatible_p(__typeof__(*(fn)), result params),             \
		               #fn ": " text);                                                             \
		result(*LEAT__VAR(stage_fn, n)) params = (fn);                                             \
		(result(*) plain)(void (*)(void)) LEAT__VAR(stage_fn, n);                                  \
	})

/* How large an element of type T is, which is one that may be. */
#define LEAT__PIPE_ELEM(T)                                                                         \
	__extension__({                                                                                \
		LEAT__CAN_ELEM(T);                                                                         \
		sizeof(__typeof__(T));                                                                     \
	})

/* The type of what p points to, without its const. */
#define LEAT__PIPE_POINTED(p) __typeof__(((void)0, *(p)))

/* LEAT_PIPE_FROM_ARRAY(at, array, n): a recv_chan of what the array, or a pointer, has. */
#define LEAT_PIPE_FROM_ARRAY(at, array, n)                                                         \
	__extension__({                                                                                \
		LEAT__CAN_ELEM(LEAT__PIPE_POINTED(array));                                                 \
		_Static_assert(sizeof(*(array)) == sizeof(LEAT__PIPE_POINTED(array)),                      \
		               "the elements of a channel are copied: put arrays into a structure");       \
		(LEAT_RECV_CHAN(LEAT__PIPE_POINTED(array)))leat_pipe_from_array(                           \
		    LEAT__PIPE_OPTS(at), (array), (n), sizeof(*(array)));                                  \
	})

/* LEAT_PIPE_FROM(at, T, fn, .field = value, ...): a recv_chan(T); bool fn(T *out, struct fn *args). */
#define LEAT_PIPE_FROM(...) LEAT__PIPE_FROM(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_FROM(n, at, T, fn, ...)                                                         \
	((LEAT_RECV_CHAN(T))leat_pipe_from(                                                            \
	    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_ELEM(T),                                            \
	    LEAT__PIPE_FN(n, "pipe_from takes bool fn(T *out, struct fn *args)", bool,                 \
	                  (__typeof__(T) *, struct fn *), (void *, void *), fn),                       \
	    &(struct fn){__VA_ARGS__}, sizeof(struct fn)))
#define LEAT_PIPE_FROM0(at, T, fn) LEAT__PIPE_FROM0(__COUNTER__, at, T, fn)
#define LEAT__PIPE_FROM0(n, at, T, fn)                                                             \
	((LEAT_RECV_CHAN(T))leat_pipe_from(LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_ELEM(T),             \
	                                   LEAT__PIPE_FN(n, "pipe_from0 takes bool fn(T *out)", bool,  \
	                                                 (__typeof__(T) *), (void *, void *), fn),     \
	                                   NULL, 0))

/* LEAT_PIPE_REPEAT(at, T, values...): a recv_chan(T).  Of values without a size one is as good as many. */
#define LEAT_PIPE_REPEAT(at, T, ...)                                                               \
	((LEAT_RECV_CHAN(T))leat_pipe_repeat(                                                          \
	    LEAT__PIPE_OPTS(at), (__typeof__(T)[]){__VA_ARGS__},                                       \
	    sizeof(T) ? sizeof((__typeof__(T)[]){__VA_ARGS__}) / (sizeof(T) + !sizeof(T)) : 1,         \
	    LEAT__PIPE_ELEM(T)))

/* LEAT_PIPE_REPEAT_FN(at, T, fn, .field = value, ...): a recv_chan(T); void fn(T *out, struct fn *args). */
#define LEAT_PIPE_REPEAT_FN(...) LEAT__PIPE_REPEAT_FN(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_REPEAT_FN(n, at, T, fn, ...)                                                    \
	((LEAT_RECV_CHAN(T))leat_pipe_repeat_fn(                                                       \
	    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_ELEM(T),                                            \
	    LEAT__PIPE_FN(n, "pipe_repeat_fn takes void fn(T *out, struct fn *args)", void,            \
	                  (__typeof__(T) *, struct fn *), (void *, void *), fn),                       \
	    &(struct fn){__VA_ARGS__}, sizeof(struct fn)))
#define LEAT_PIPE_REPEAT_FN0(at, T, fn) LEAT__PIPE_REPEAT_FN0(__COUNTER__, at, T, fn)
#define LEAT__PIPE_REPEAT_FN0(n, at, T, fn)                                                        \
	((LEAT_RECV_CHAN(T))leat_pipe_repeat_fn(                                                       \
	    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_ELEM(T),                                            \
	    LEAT__PIPE_FN(n, "pipe_repeat_fn0 takes void fn(T *out)", void, (__typeof__(T) *),         \
	                  (void *, void *), fn),                                                       \
	    NULL, 0))

/* LEAT_PIPE_TAKE(at, in, n): a recv_chan of in's elements. */
#define LEAT_PIPE_TAKE(at, in, count) LEAT__PIPE_TAKE(__COUNTER__, at, in, count)
#define LEAT__PIPE_TAKE(n, at, in, count)                                                          \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))leat_pipe_take(LEAT__PIPE_OPTS(at),                 \
		                                                      LEAT__PIPE_IN(n), (count));          \
	})

/*
 * LEAT_PIPE_TAKE_WHILE(at, in, fn, .field = value, ...), LEAT_PIPE_FILTER: a recv_chan of in's elements;
 * bool fn(const In *in, struct fn *args).
 */
#define LEAT_PIPE_TAKE_WHILE(...) LEAT__PIPE_TEST(__COUNTER__, leat_pipe_take_while, __VA_ARGS__, )
#define LEAT_PIPE_FILTER(...)     LEAT__PIPE_TEST(__COUNTER__, leat_pipe_filter, __VA_ARGS__, )
#define LEAT__PIPE_TEST(n, stage, at, in, fn, ...)                                                 \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))stage(                                              \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n),                                          \
		    LEAT__PIPE_FN(                                                                         \
		        n, "pipe_filter and pipe_take_while take bool fn(const In *in, struct fn *args)",  \
		        bool, (const LEAT__PIPE_IN_ELEM(n) *, struct fn *), (const void *, void *), fn),   \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_TAKE_WHILE0(at, in, fn)                                                          \
	LEAT__PIPE_TEST0(__COUNTER__, leat_pipe_take_while, at, in, fn)
#define LEAT_PIPE_FILTER0(at, in, fn) LEAT__PIPE_TEST0(__COUNTER__, leat_pipe_filter, at, in, fn)
#define LEAT__PIPE_TEST0(n, stage, at, in, fn)                                                     \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(LEAT__PIPE_IN_ELEM(n)))stage(                                              \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n),                                          \
		    LEAT__PIPE_FN(n, "pipe_filter0 and pipe_take_while0 take bool fn(const In *in)", bool, \
		                  (const LEAT__PIPE_IN_ELEM(n) *), (const void *, void *), fn),            \
		    NULL, 0);                                                                              \
	})

/*
 * LEAT_PIPE_MAP(at, in, Out, fn, .field = value, ...): a recv_chan(Out);
 * void fn(const In *in, Out *out, struct fn *args).
 */
#define LEAT_PIPE_MAP(...) LEAT__PIPE_MAP(__COUNTER__, leat_pipe_map, __VA_ARGS__, )
#define LEAT__PIPE_MAP(n, stage, at, in, Out, fn, ...)                                             \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(Out))stage(                                                                \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), LEAT__PIPE_ELEM(Out),                    \
		    LEAT__PIPE_FN(n,                                                                       \
		                  "pipe_map and pipe_map_ordered take void fn(const In *in, Out *out, "    \
		                  "struct fn *args)",                                                      \
		                  void, (const LEAT__PIPE_IN_ELEM(n) *, __typeof__(Out) *, struct fn *),   \
		                  (const void *, void *, void *), fn),                                     \
		    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                                         \
	})
#define LEAT_PIPE_MAP0(at, in, Out, fn) LEAT__PIPE_MAP0(__COUNTER__, leat_pipe_map, at, in, Out, fn)
#define LEAT__PIPE_MAP0(n, stage, at, in, Out, fn)                                                 \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT_RECV_CHAN(Out))stage(                                                                \
		    LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n), LEAT__PIPE_ELEM(Out),                    \
		    LEAT__PIPE_FN(n,                                                                       \
		                  "pipe_map0 and pipe_map_ordered0 take void fn(const In *in, Out *out)",  \
		                  void, (const LEAT__PIPE_IN_ELEM(n) *, __typeof__(Out) *),                \
		                  (const void *, void *, void *), fn),                                     \
		    NULL, 0);                                                                              \
	})

/* LEAT_PIPE_EACH(at, in, fn, .field = value, ...); void fn(const In *in, struct fn *args). */
#define LEAT_PIPE_EACH(...) LEAT__PIPE_EACH(__COUNTER__, __VA_ARGS__, )
#define LEAT__PIPE_EACH(n, at, in, fn, ...)                                                        \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		leat_pipe_each(LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n),                               \
		               LEAT__PIPE_FN(n, "pipe_each takes void fn(const In *in, struct fn *args)",  \
		                             void, (const LEAT__PIPE_IN_ELEM(n) *, struct fn *),           \
		                             (const void *, void *), fn),                                  \
		               &(struct fn){__VA_ARGS__}, sizeof(struct fn));                              \
	})
#define LEAT_PIPE_EACH0(at, in, fn) LEAT__PIPE_EACH0(__COUNTER__, at, in, fn)
#define LEAT__PIPE_EACH0(n, at, in, fn)                                                            \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		leat_pipe_each(LEAT__PIPE_OPTS_FN(at, fn), LEAT__PIPE_IN(n),                               \
		               LEAT__PIPE_FN(n, "pipe_each0 takes void fn(const In *in)", void,            \
		                             (const LEAT__PIPE_IN_ELEM(n) *), (const void *, void *), fn), \
		               NULL, 0);                                                                   \
	})

/* LEAT_PIPE_COLLECT(at, in, &n): an Elem *. */
#define LEAT_PIPE_COLLECT(at, in, np) LEAT__PIPE_COLLECT(__COUNTER__, at, in, np)
#define LEAT__PIPE_COLLECT(n, at, in, np)                                                          \
	__extension__({                                                                                \
		LEAT__PIPE_TAKES(n, in);                                                                   \
		(LEAT__PIPE_IN_ELEM(n) *)leat_pipe_collect(LEAT__PIPE_OPTS(at), LEAT__PIPE_IN(n), (np));   \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define pipe_at(...)                  LEAT_PIPE_AT(__VA_ARGS__)
#define pipe_from_array(at, array, n) LEAT_PIPE_FROM_ARRAY(at, array, n)
#define pipe_from(...)                LEAT_PIPE_FROM(__VA_ARGS__)
#define pipe_from0(at, T, fn)         LEAT_PIPE_FROM0(at, T, fn)
#define pipe_repeat(...)              LEAT_PIPE_REPEAT(__VA_ARGS__)
#define pipe_repeat_fn(...)           LEAT_PIPE_REPEAT_FN(__VA_ARGS__)
#define pipe_repeat_fn0(at, T, fn)    LEAT_PIPE_REPEAT_FN0(at, T, fn)
#define pipe_take(at, in, n)          LEAT_PIPE_TAKE(at, in, n)
#define pipe_take_while(...)          LEAT_PIPE_TAKE_WHILE(__VA_ARGS__)
#define pipe_take_while0(at, in, fn)  LEAT_PIPE_TAKE_WHILE0(at, in, fn)
#define pipe_filter(...)              LEAT_PIPE_FILTER(__VA_ARGS__)
#define pipe_filter0(at, in, fn)      LEAT_PIPE_FILTER0(at, in, fn)
#define pipe_map(...)                 LEAT_PIPE_MAP(__VA_ARGS__)
#define pipe_map0(at, in, Out, fn)    LEAT_PIPE_MAP0(at, in, Out, fn)
#define pipe_each(...)                LEAT_PIPE_EACH(__VA_ARGS__)
#define pipe_each0(at, in, fn)        LEAT_PIPE_EACH0(at, in, fn)
#define pipe_collect(at, in, n)       LEAT_PIPE_COLLECT(at, in, n)
#endif

#endif /* !__cplusplus */

#endif
