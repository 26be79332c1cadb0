/* SPDX-License-Identifier: MIT */
/*
 * Goroutines that need a thread of their own.
 *
 * Some libraries keep state in the thread that calls them, or demand that it be the initial one.  A
 * goroutine that is locked to its thread runs on that thread alone, and no other goroutine runs there.
 * Switching to and from it takes a hand-over between threads, some 10 us, instead of 10 ns.
 */
#ifndef LEAT_THREAD_H
#define LEAT_THREAD_H

#include <leat/defer.h>

LEAT__BEGIN

/*
 * Lock the calling goroutine to the thread that it runs on.
 *
 * Nests: it takes as many unlocks.  A goroutine that ends while it is locked takes its thread with it;
 * the initial thread stays, but runs nothing any more.  Main runs on the initial thread until its
 * first call into leat that parks, so one that has to stay there locks itself first.
 * On a plain thread it does nothing.  Some nanoseconds.  After Go's runtime.LockOSThread.
 */
LEAT_API void leat_lock_thread(void);

/* Undo one leat_lock_thread of the caller; without one, nothing.  After Go's runtime.UnlockOSThread. */
LEAT_API void leat_unlock_thread(void);

/* leat_unlock_thread as a deferred function.  Private. */
LEAT_API void leat__unpin(void *unused);

LEAT__END

#ifndef __cplusplus

/*
 * LEAT_PIN(): a declaration; the calling goroutine is locked to its thread until the enclosing block is
 * left, by whichever way.  For what belongs to a thread and is held while the goroutine parks: a
 * pthread mutex, a file that is locked with flockfile, a callback of another library.
 *
 * Without it, another thread may go on with the goroutine, and cannot give such a lock back.  A program
 * that is run by leat run --locks, or with LD_PRELOAD=libleat_locks.so, says which lock it was, and ends.
 */
#define LEAT_PIN() LEAT__PIN(__COUNTER__)
#define LEAT__PIN(n)                                                                               \
	leat_lock_thread();                                                                            \
	LEAT__DEFER(n, leat__unpin, NULL)

#define leat_pin() LEAT_PIN()

#endif /* !__cplusplus */

#endif
