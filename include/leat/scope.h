/* SPDX-License-Identifier: MIT */
/*
 * Scopes: a block that owns goroutines, channels and memory.
 *
 *	{
 *		scope(s, NULL);
 *		chan(int) c = scope_chan(s, int, 0);
 *		scope_go(s, count, .out = chan_sender(c), .n = 10);
 *		printf("%d\n", chan_recv(c));
 *	}                     cancelled, joined, freed: on every way out
 *
 * scope(s, parent) is a declaration of leat_scope *s that lasts to the end of the enclosing block.
 * Leaving the block, by its end, break, continue, return, goto, a panic or leat_goexit, cancels the
 * scope, waits for its goroutines, frees its channels and memory, in this order.
 *
 * A scope is also a context.  It is done when it is cancelled, when its deadline passes or when its
 * parent is done.  Being done only tells: goroutines look by scope_done(s) in a select, or scope_err.
 *
 * return x reads x before the scope joins: scope_wait first where x depends on the goroutines.
 * Goroutines and scopes that name s as theirs must not outlive its block; those made through
 * scope_go(s, ...) cannot.
 *
 * A variable that a goroutine of the scope uses must be declared before the scope, so that it lives
 * until the join.
 *
 * Errors are negative errno codes here.  After Go's context and errgroup, and Python's trio.
 */
#ifndef LEAT_SCOPE_H
#define LEAT_SCOPE_H

#include <leat/chan.h>
#include <leat/ctx.h>
#include <leat/defer.h>
#include <leat/go.h>
#include <leat/waitgroup.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_scope {
	leat_ctx leat__ctx; /* first: a pointer to a scope is one to a context */
	leat__record leat__on_leave;
	int leat__first;                 /* 0, or the first error reported with scope_fail */
	leat_waitgroup leat__goroutines; /* not yet ended */
	ptrdiff_t leat__places;          /* 0: no limit; else 1 + how many more may be active */
	ptrdiff_t leat__limit;           /* likewise, 1 + the limit */
	struct leat__waiters leat__starters;
	void *leat__blocks;
	leat_chan *leat__channels;
	size_t leat__room; /* bytes left in the newest block */
	void *leat__pipe;  /* its stages, NULL: none (leat/pipe.h) */
} leat_scope;

/*
 * Stop waiting and let the goroutines of s know: s is done with -ECANCELED, unless it already is.
 * Scopes below s are done on return.  Never parks.  Any goroutine, any thread, as long as s lives.
 * After Go's context.CancelFunc.
 */
LEAT_API void leat_scope_cancel(leat_scope *s);

/*
 * Report that work of s failed with err, a negative errno code (0 is ignored).  The first such error
 * is kept for scope_wait, and cancels s.  Any goroutine, any thread.  After errgroup's first error.
 */
LEAT_API void leat_scope_fail(leat_scope *s, int err);

/*
 * Wait for every goroutine started in s so far, without cancelling; returns the first error given to
 * scope_fail, else 0.  More may be started afterwards.  Must not be called by a goroutine of s.
 * The end of each goroutine happens before the return.
 */
LEAT_API int leat_scope_wait(leat_scope *s);

/* 0 while s is not done, then why: -ECANCELED, or -ETIMEDOUT for a deadline.  Costs one load. */
LEAT_API int leat_scope_err(const leat_scope *s);

/*
 * A channel that is closed when s is done; the same one at every call.  s owns it.
 * Panics "out of memory".  After Go's Context.Done.
 */
LEAT_API LEAT_RECV_CHAN(leat_empty) leat_scope_done(leat_scope *s);

/*
 * Let s be done, with -ETIMEDOUT, duration_ns from now (at once when that is 0 or less).  Only ever
 * shortens: a deadline later than one that s already has changes nothing.  Panics "out of memory".
 */
LEAT_API void leat_scope_timeout(leat_scope *s, int64_t duration_ns);

/* The same for the instant at_ns of leat_now. */
LEAT_API void leat_scope_deadline(leat_scope *s, int64_t at_ns);

/* Start a goroutine in s; as leat_go.  On a scope that is done it starts too, and finds it done. */
LEAT_API void leat_scope_go(leat_scope *s, void (*fn)(void *), const void *args, size_t args_bytes);

/*
 * Let at most n goroutines of s be active at a time, none for 0, any number for less.
 *
 * With a limit leat_scope_go, and leat_go_with for s, park the caller until there is room, in the order of
 * arrival.  To be set while no goroutine of s is active: else panics "errgroup: modify limit while N goroutines
 * in the group are still active".  After errgroup's SetLimit.
 */
LEAT_API void leat_scope_limit(leat_scope *s, ptrdiff_t n);

/* leat_scope_go if that need not wait for room; true when it was started.  After errgroup's TryGo. */
LEAT_API bool leat_scope_try_go(leat_scope *s, void (*fn)(void *), const void *args,
                                size_t args_bytes) LEAT__WARN_UNUSED;

/* leat_scope_go, but give up when ctx is done (NULL: no context), s itself for instance.  0 when it was started,
   else -ECANCELED or -ETIMEDOUT, also if ctx is done already. */
LEAT_API int leat_scope_go_ctx(leat_scope *s, void (*fn)(void *), const void *args,
                               size_t args_bytes, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* leat_scope_wait, but give up when ctx is done (NULL: no context): -ECANCELED or -ETIMEDOUT by its end, else
   as leat_scope_wait; leat_ctx_err(ctx) tells which it was. */
LEAT_API int leat_scope_wait_ctx(leat_scope *s, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* leat_chan_make, freed with s.  Any goroutine of s may ask. */
LEAT_API leat_chan *leat_scope_chan(leat_scope *s, size_t elem_bytes,
                                    ptrdiff_t cap) LEAT__WARN_UNUSED;

/*
 * bytes zeroed bytes aligned to 16, freed with s.  Panics "out of memory".
 * Any goroutine of s.  Small requests share blocks.
 */
LEAT_API void *leat_scope_alloc(leat_scope *s, size_t bytes) LEAT__WARN_UNUSED;

/* count * bytes of the same; panics "out of memory" when the product does not fit. */
LEAT_API void *leat_scope_calloc(leat_scope *s, size_t count, size_t bytes) LEAT__WARN_UNUSED;

/* What the declaration is made of.  Private. */
LEAT_API leat_scope *leat__scope_enter(leat_scope *s, leat_any_ctx parent);
LEAT_API void leat__scope_leave(leat_scope *s);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_scope_go_ctx(...)   __extension__ leat_scope_go_ctx(__VA_ARGS__)
#define leat_scope_wait_ctx(...) __extension__ leat_scope_wait_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_SCOPE(s, parent): declare the scope s; parent is a leat_scope *, a leat_ctx * or NULL. */
#define LEAT_SCOPE(s, parent)                                                                      \
	leat_scope LEAT__CAT(leat__scope_, s) LEAT__CLEANUP(leat__scope_leave);                        \
	leat_scope *const s LEAT__UNUSED =                                                             \
	    __extension__ leat__scope_enter(&LEAT__CAT(leat__scope_, s), (parent))

#define LEAT_SCOPE_GO(...) LEAT__SCOPE_GO(__VA_ARGS__, )
#define LEAT__SCOPE_GO(s, fn, ...)                                                                 \
	__extension__({                                                                                \
		void (*leat__f)(struct fn *) = (fn);                                                       \
		leat_scope_go((s), (void (*)(void *))(void (*)(void))leat__f, &(struct fn){__VA_ARGS__},   \
		              sizeof(struct fn));                                                          \
	})
/* LEAT_SCOPE_TRY_GO(s, fn, ...): the same where there is room, else false. */
#define LEAT_SCOPE_TRY_GO(...) LEAT__SCOPE_TRY_GO(__VA_ARGS__, )
#define LEAT__SCOPE_TRY_GO(s, fn, ...)                                                             \
	__extension__({                                                                                \
		void (*leat__f)(struct fn *) = (fn);                                                       \
		leat_scope_try_go((s), (void (*)(void *))(void (*)(void))leat__f,                          \
		                  &(struct fn){__VA_ARGS__}, sizeof(struct fn));                           \
	})
#define LEAT_SCOPE_GO0(s, fn)                                                                      \
	__extension__({                                                                                \
		void (*leat__f)(void) = (fn);                                                              \
		leat_scope_go((s), (void (*)(void *))leat__f, NULL, 0);                                    \
	})

#define LEAT_SCOPE_CHAN(s, T, n)                                                                   \
	__extension__({                                                                                \
		LEAT__CAN_ELEM(T);                                                                         \
		(LEAT_CHAN(T))leat_scope_chan((s), sizeof(__typeof__(T)), (n));                            \
	})
#define LEAT_SCOPE_ALLOC(s, T, n) ((__typeof__(T) *)leat_scope_calloc((s), (n), sizeof(T)))

#ifndef LEAT_NO_SHORT_NAMES
#define scope(s, parent)      LEAT_SCOPE(s, parent)
#define scope_go(...)         LEAT_SCOPE_GO(__VA_ARGS__)
#define scope_go0(s, fn)      LEAT_SCOPE_GO0(s, fn)
#define scope_try_go(...)     LEAT_SCOPE_TRY_GO(__VA_ARGS__)
#define scope_limit(s, n)     leat_scope_limit(s, n)
#define scope_chan(s, T, n)   LEAT_SCOPE_CHAN(s, T, n)
#define scope_alloc(s, T, n)  LEAT_SCOPE_ALLOC(s, T, n)
#define scope_wait(s)         leat_scope_wait(s)
#define scope_cancel(s)       leat_scope_cancel(s)
#define scope_fail(s, err)    leat_scope_fail(s, err)
#define scope_done(s)         leat_scope_done(s)
#define scope_err(s)          leat_scope_err(s)
#define scope_timeout(s, ns)  leat_scope_timeout(s, ns)
#define scope_deadline(s, at) leat_scope_deadline(s, at)
#endif

#endif /* !__cplusplus */

#endif
