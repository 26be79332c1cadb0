/* SPDX-License-Identifier: MIT */
/*
 * Weighted semaphore: so many tokens, which callers take and give back some at a time.  After Go's
 * golang.org/x/sync/semaphore.
 *
 *	static leat_semaphore memory = LEAT_SEMAPHORE(64);      64 MiB, say
 *
 *	if (leat_semaphore_acquire_ctx(&memory, 8, ctx))
 *		return;
 *	...
 *	leat_semaphore_release(&memory, 8);
 *
 * Who waits is served strictly in the order of arrival: a large request at the head holds up smaller ones
 * behind it, so that it is not starved.  A request for more than the size can never be granted; it waits
 * for its context alone, and holds up nobody.
 *
 * Zero-initialised its size is 0.  It needs no destructor, must not be copied after its first use, and must
 * outlive all calls on it, a release's included.  Nobody owns the tokens: any goroutine or thread may
 * release what another acquired.
 *
 * All of these panic "semaphore: negative weight" for a negative n; 0 tokens are had as soon as nobody waits.
 * What precedes a release happens before the return of each acquire that is granted after it.
 */
#ifndef LEAT_SEMAPHORE_H
#define LEAT_SEMAPHORE_H

#include <leat/ctx.h>

LEAT__BEGIN

struct leat__waiter;

/* All fields are private. */
typedef struct leat_semaphore {
	int64_t leat__size;
	uint64_t leat__state; /* tokens that are out, and whether anyone waits */
	struct leat__waiter *leat__first, *leat__last; /* who waits */
	uint8_t leat__lock;
} leat_semaphore;

/* An initialiser: n tokens, 0 or more, which is not checked. */
#define LEAT_SEMAPHORE(n)                                                                          \
	{                                                                                              \
		(n), 0, NULL, NULL, 0                                                                      \
	}

/* The same for one that is made at run time, and not in use.  Panics "semaphore: negative size".
   After semaphore.NewWeighted. */
LEAT_API void leat_semaphore_init(leat_semaphore *s, int64_t n);

/*
 * Take n tokens, parking the caller until those who came before have theirs and there are n.
 *
 * Any goroutine, any thread.  One compare-and-swap when they are there at once; never allocates.
 */
LEAT_API void leat_semaphore_acquire(leat_semaphore *s, int64_t n);

/*
 * The same, but only until ctx is done: 0 with the tokens, else -ECANCELED or -ETIMEDOUT with none.  A ctx
 * that is done already gets none, even where they are free; NULL is no context.  Who leaves lets those
 * behind him go on.  Panics "out of memory" for a custom context (leat_ctx_custom) alone.
 * After Weighted.Acquire.
 */
LEAT_API int leat_semaphore_acquire_ctx(leat_semaphore *s, int64_t n,
                                        leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* Take n tokens if they are there and nobody waits; false otherwise.  Never parks.  A failed attempt
   orders nothing.  After Weighted.TryAcquire. */
LEAT_API bool leat_semaphore_tryacquire(leat_semaphore *s, int64_t n) LEAT__WARN_UNUSED;

/*
 * Give n tokens back, and wake, in order, all who can have theirs now.
 *
 * Panics "semaphore: released more than held", and all is as before.  Never parks.  Any goroutine, any
 * thread.  One compare-and-swap when nobody waits.  After Weighted.Release.
 */
LEAT_API void leat_semaphore_release(leat_semaphore *s, int64_t n);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_semaphore_acquire_ctx(...) __extension__ leat_semaphore_acquire_ctx(__VA_ARGS__)
#endif

#endif
