/* SPDX-License-Identifier: MIT */
/*
 * Mutex: mutual exclusion that parks goroutines, not threads.  After Go's sync.Mutex.
 *
 * Zero-initialised it is unlocked; it needs no destructor and must not be copied after its first use.
 * Nobody owns it: any goroutine or thread may unlock.  Locking it twice deadlocks.
 */
#ifndef LEAT_MUTEX_H
#define LEAT_MUTEX_H

#include <leat/ctx.h>
#include <leat/defer.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_mutex {
	uint8_t leat__locked;
	uint8_t leat__held;
	uint8_t leat__wanted;
	uint8_t leat__lock;
	uint8_t leat__woken;
	struct leat__waiters leat__queue;
} leat_mutex;

/*
 * Lock m, parking the caller until it is free.
 *
 * Any goroutine, any thread.  The n-th unlock happens before the return of the (n+1)-th lock.
 * A newcomer may overtake a waiter, for a millisecond; from then on the lock goes from hand to hand, in the
 * order of arrival, until one gets it who has waited less, as Go's.  One atomic exchange when free; never
 * allocates.
 */
LEAT_API void leat_mutex_lock(leat_mutex *m);

/*
 * The same, but give up when ctx is done (NULL: no context).  0 when m is locked, else -ECANCELED or
 * -ETIMEDOUT, also if ctx is done already; who gives up leaves the queue at once and keeps nobody waiting.
 * As leat_mutex_lock when m is free, but for a load.
 */
LEAT_API int leat_mutex_lock_ctx(leat_mutex *m, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* Lock m if it is free; false otherwise.  Never parks.  A failed attempt orders nothing. */
LEAT_API bool leat_mutex_trylock(leat_mutex *m) LEAT__WARN_UNUSED;

/*
 * Unlock m; wakes the longest waiter.  Any goroutine, any thread, not only the one that locked.
 * Fatal "sync: unlock of unlocked mutex"; one that races with a lock of m may go unnoticed, and leave m
 * unlocked under its holder, as an unlock by mistake of a mutex that another holds always does.  m must outlive the call, which looks at it once more after
 * letting go: who locks it next may not free it before.  A plain store when nobody waits.
 */
LEAT_API void leat_mutex_unlock(leat_mutex *m);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_mutex_lock_ctx(...) __extension__ leat_mutex_lock_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_WITH_LOCK(m): lock the leat_mutex *m until the enclosing block is left, by whichever way. */
#define LEAT_WITH_LOCK(m) LEAT__WITH_LOCK(__COUNTER__, m)
#define LEAT__WITH_LOCK(n, m)                                                                      \
	leat_mutex *const LEAT__CAT(leat__m, n) = (m);                                                 \
	leat_mutex_lock(LEAT__CAT(leat__m, n));                                                        \
	LEAT__DEFER(n, leat_mutex_unlock, LEAT__CAT(leat__m, n))

#ifndef LEAT_NO_SHORT_NAMES
#define with_lock(m) LEAT_WITH_LOCK(m)
#endif

#endif /* !__cplusplus */

#endif
