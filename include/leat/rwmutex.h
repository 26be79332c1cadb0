/* SPDX-License-Identifier: MIT */
/*
 * RWMutex: a lock held by any number of readers or by one writer.  After Go's sync.RWMutex.
 *
 * Zero-initialised it is unlocked; it needs no destructor and must not be copied after its first use.
 * Nobody owns it: any goroutine or thread may unlock what another one locked.
 *
 * A writer that waits keeps newcomers from reading, so that it gets its turn; hence a goroutine that reads
 * must not lock for reading again: with a writer in between both would wait for ever.  When a writer
 * unlocks, all readers that wait by then come before the next writer.  There is no way from a read lock to
 * the write lock but to give it up first.
 *
 * Readers on different processors do not disturb each other: a lock that is read some thousand times in a
 * row has them counted by each processor for itself, without an atomic instruction, until the next writer,
 * who then pays some microseconds more.  A program can have 128 such locks at a time; others count with
 * one atomic instruction per call.
 */
#ifndef LEAT_RWMUTEX_H
#define LEAT_RWMUTEX_H

#include <leat/ctx.h>
#include <leat/mutex.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_rwmutex {
	uint64_t leat__state;
	leat_mutex leat__writers;
	struct {
		void *leat__first, *leat__last;
	} leat__readers, leat__writer;
	uint32_t leat__active, leat__granted;
	uint8_t leat__lock, leat__patience, leat__skip;
} leat_rwmutex;

/*
 * Lock m for reading, parking the caller while a writer has m or waits for it.
 *
 * Any goroutine, any thread; never allocates.  Every unlock by a writer happens before the return of each
 * later read lock.  Readers order nothing among themselves.
 * After RWMutex.RLock.
 */
LEAT_API void leat_rwmutex_rlock(leat_rwmutex *m);

/*
 * The same, but give up when ctx is done (NULL: no context).  0 when m is locked, else -ECANCELED or
 * -ETIMEDOUT, also if ctx is done already and m is free.  Panics "out of memory" where a custom context cannot
 * be watched.
 */
LEAT_API int leat_rwmutex_rlock_ctx(leat_rwmutex *m, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* Lock m for reading unless a writer has it or waits for it; false otherwise.  Never waits for either.  A failed
   attempt orders nothing.  After RWMutex.TryRLock. */
LEAT_API bool leat_rwmutex_tryrlock(leat_rwmutex *m) LEAT__WARN_UNUSED;

/*
 * Undo one read lock; the last reader lets the writer go that waits.  Any goroutine, any thread, not only the
 * one that locked.  Happens before the return of the writer's lock that follows.
 *
 * Fatal "sync: RUnlock of unlocked RWMutex": at once, but where readers are counted by processor and are
 * moved between their two calls it may be found by the next writer only.
 * Once no reader is left it touches m no more: the writer that locks it next may free it.
 * After RWMutex.RUnlock.
 */
LEAT_API void leat_rwmutex_runlock(leat_rwmutex *m);

/*
 * Lock m for writing, parking the caller until all readers, and all writers before it, have unlocked.
 * Readers that come meanwhile wait.
 *
 * Any goroutine, any thread; never allocates.  Every unlock, and every read unlock, that let it in happens
 * before its return.  Writers compete as for a leat_mutex.
 * After RWMutex.Lock.
 */
LEAT_API void leat_rwmutex_lock(leat_rwmutex *m);

/* The same, but give up when ctx is done, as leat_rwmutex_rlock_ctx.  Readers that waited on its account go on. */
LEAT_API int leat_rwmutex_lock_ctx(leat_rwmutex *m, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Lock m for writing if nobody has it, reader or writer; false otherwise.  Never waits for either.  A failed
 * attempt promises no order.  After RWMutex.TryLock.
 */
LEAT_API bool leat_rwmutex_trylock(leat_rwmutex *m) LEAT__WARN_UNUSED;

/*
 * Undo a write lock: all readers that wait go on, then the next writer has its turn.  Any goroutine, any thread,
 * not only the one that locked.
 * Fatal "sync: Unlock of unlocked RWMutex".  m must outlive the call: who locks it next, reader or writer, may
 * not free it before.  After RWMutex.Unlock.
 */
LEAT_API void leat_rwmutex_unlock(leat_rwmutex *m);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_rwmutex_rlock_ctx(...) __extension__ leat_rwmutex_rlock_ctx(__VA_ARGS__)
#define leat_rwmutex_lock_ctx(...)  __extension__ leat_rwmutex_lock_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_WITH_RLOCK(m), LEAT_WITH_WLOCK(m): lock the leat_rwmutex *m for reading, or for writing, until the
   enclosing block is left, by whichever way. */
#define LEAT_WITH_RLOCK(m)                                                                         \
	LEAT__WITH_RWLOCK(__COUNTER__, m, leat_rwmutex_rlock, leat_rwmutex_runlock)
#define LEAT_WITH_WLOCK(m) LEAT__WITH_RWLOCK(__COUNTER__, m, leat_rwmutex_lock, leat_rwmutex_unlock)
#define LEAT__WITH_RWLOCK(n, m, lock, unlock)                                                      \
	leat_rwmutex *const LEAT__CAT(leat__m, n) = (m);                                               \
	lock(LEAT__CAT(leat__m, n));                                                                   \
	LEAT__DEFER(n, unlock, LEAT__CAT(leat__m, n))

#ifndef LEAT_NO_SHORT_NAMES
#define with_rlock(m) LEAT_WITH_RLOCK(m)
#define with_wlock(m) LEAT_WITH_WLOCK(m)
#endif

#endif /* !__cplusplus */

#endif
