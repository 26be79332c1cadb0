/* SPDX-License-Identifier: MIT */
/*
 * WaitGroup: wait for a number of things to be done.  After Go's sync.WaitGroup.
 *
 * Zero-initialised its counter is 0; it needs no destructor, may be reused once its waiters returned,
 * and must not be copied after its first use.
 */
#ifndef LEAT_WAITGROUP_H
#define LEAT_WAITGROUP_H

#include <leat/base.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_waitgroup {
	uint64_t leat__state;             /* counter in the high half, waiters in the low half */
	void *leat__first, *leat__others; /* who waits */
} leat_waitgroup;

/*
 * Add delta, which may be negative, to the counter; at 0 every waiter is released.
 *
 * Panics "sync: negative WaitGroup counter"; and, as far as it is noticed,
 * "sync: WaitGroup misuse: Add called concurrently with Wait".  An add that starts from 0 must happen
 * before the wait.  Any goroutine, any thread.  One atomic addition.
 */
LEAT_API void leat_waitgroup_add(leat_waitgroup *wg, int delta);

/* leat_waitgroup_add(wg, -1): happens before the return of the wait that it releases. */
LEAT_API void leat_waitgroup_done(leat_waitgroup *wg);

/* Park the caller until the counter is 0; returns at once when it is.  Any goroutine, any thread. */
LEAT_API void leat_waitgroup_wait(leat_waitgroup *wg);

LEAT__END

#endif
