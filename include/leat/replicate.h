/* SPDX-License-Identifier: MIT */
/*
 * Replicated requests: ask several for the same, and take the first answer.
 *
 *	static const leat_error *fetch(leat_scope *s, size_t i, struct query *q, struct page *page)
 *	{
 *		return get_from(server[i], q, page, s);         ends early, with an error, when s is done
 *	}
 *
 *	struct page page;
 *	const leat_error *e = replicate(3, fetch, &query, &page, ctx);
 *	const leat_error *e = replicate(3, fetch, &query, &page, ctx, .hedge_ns = 50 * LEAT_MILLISECOND,
 *	                                .discard = free_page);
 *
 * All replicas are started at once, each in a goroutine of its own; or hedged, the next one when the latest has taken
 * long, or as soon as one fails.  The first success wins, the scope of the others is cancelled, and all are joined:
 * the call takes as long as the fastest, and as the others take to see that they are not needed.  An error
 * only means that there is one replica less, as long as there are others.
 *
 * It helps where replicas differ in how long they take: ask different machines, not the same one twice.  What a
 * replica does besides its answer is done more than once.
 *
 * After chapter 5 of the book Concurrency in Go; the hedged form after Dean and Barroso, The Tail at Scale (2013).
 */
#ifndef LEAT_REPLICATE_H
#define LEAT_REPLICATE_H

#include <leat/scope.h>

LEAT__BEGIN

/*
 * One replica, number i from 0.  Returns NULL when *result, which was all zero, is the answer; else an error, and its
 * hold on that goes over.  s is done when another has won, or the caller's context is.
 */
typedef const leat_error *(*leat_replica_fn)(leat_scope *s, size_t i, void *arg, void *result);

/* All zero: the default of each. */
typedef struct leat_replicate_opts {
	/* Start the next one so long after the latest, or when one fails; 0: all at once. */
	int64_t hedge_ns;
	/* Free what is in a result that came too late; NULL: nothing to free. */
	void (*discard)(void *result);
	/* Set to the number of the one that has won; NULL: not wanted. */
	size_t *winner;
} leat_replicate_opts;

/*
 * Run up to n replicas fn(scope, i, arg, result) and return NULL with the answer of the first that succeeds in the
 * result_bytes bytes at result; else, when all have failed, their errors, in the order of the numbers, as one
 * (leat_error_join), which the caller frees.  When ctx (NULL: none) is done no more are started, and the error of
 * ctx is what there is if none was; an answer that came all the same counts.
 *
 * All replicas have ended when this returns.  result and *winner are untouched where it fails.  One that ends by
 * leat_goexit has failed with -ECANCELED; a panic is one in that goroutine.  What has no memory to start has failed
 * with &leat_out_of_memory.  discard runs in the loser's goroutine.
 *
 * opts may be NULL.  Panics "replicate: no replicas" when n is 0, "replicate: no function"; and, hedged, "out of
 * memory" where there is none for a timer or a scope's channel, with all joined.
 * Any goroutine, any thread.  What the winner did happens before the return, as does all that the others did.
 * Costs an allocation or two and n goroutines.
 */
LEAT_API const leat_error *leat_replicate(size_t n, leat_replica_fn fn, void *arg,
                                          const leat_replicate_opts *opts, void *result,
                                          size_t result_bytes, leat_any_ctx ctx) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_replicate(...) __extension__ leat_replicate(__VA_ARGS__)
#endif

#ifndef __cplusplus

/*
 * LEAT_REPLICATE(n, fn, arg, result, ctx, .option = value, ...): the same, typed.
 * result is a T *, and fn a const leat_error *(leat_scope *, size_t, A, T *), where A is what arg, if it is a pointer or
 * an array, can be passed as: a string as const char *, &x as const X *; and the type of arg if it is an integer.  The
 * options are those of leat_replicate_opts, with discard a void (*)(T *).
 */
#define LEAT_REPLICATE(...) LEAT__REPLICATE_AS(__VA_ARGS__, )
#define LEAT__REPLICATE_AS(n, fn, arg, result, ctx, ...)                                           \
	__extension__({                                                                                \
		typedef __typeof__(*(result)) leat__T;                                                     \
		_Static_assert(                                                                            \
		    __builtin_types_compatible_p(                                                          \
		        __typeof__((fn)((leat_scope *)0, (size_t)0, (arg), (leat__T *)0)),                 \
		        const leat_error *),                                                               \
		    #fn                                                                                    \
		    ": replicate takes const leat_error *fn(leat_scope *s, size_t i, A arg, T *result)");  \
		_Static_assert(LEAT__IS_POINTER(arg) ||                                                    \
		                   __builtin_types_compatible_p(                                           \
		                       __typeof__(*(fn)), const leat_error *(leat_scope *, size_t,         \
		                                                             __typeof__(arg), leat__T *)), \
		               #fn ": replicate passes an integer as what it is");                         \
		struct {                                                                                   \
			int64_t hedge_ns;                                                                      \
			void (*discard)(leat__T *);                                                            \
			size_t *winner;                                                                        \
		} leat__o = {__VA_ARGS__};                                                                 \
		leat_replicate((n), (leat_replica_fn)(void (*)(void))(fn), (void *)(uintptr_t)(arg),       \
		               &(leat_replicate_opts){leat__o.hedge_ns,                                    \
		                                      (void (*)(void *))(void (*)(void))leat__o.discard,   \
		                                      leat__o.winner},                                     \
		               (result), sizeof(leat__T), (ctx));                                          \
	})

/* gcc's class of pointers, and of what becomes one. */
#define LEAT__IS_POINTER(x) (__builtin_classify_type(((void)0, (x))) == 5)

#ifndef LEAT_NO_SHORT_NAMES
#define replicate(...) LEAT_REPLICATE(__VA_ARGS__)
#endif

#endif /* !__cplusplus */

#endif
