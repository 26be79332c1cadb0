/* SPDX-License-Identifier: MIT */
/*
 * Cond: wait until somebody says that something may have changed.  After Go's sync.Cond.
 *
 *	leat_mutex_lock(&q->mutex);
 *	while (!q->first)
 *		leat_cond_wait(&q->filled, &q->mutex);
 *	take(q->first);
 *	leat_mutex_unlock(&q->mutex);
 *
 * What is waited for lies under a mutex, which is named at each wait; all waits on one cond name the same.
 * A wait returns only because of a signal or a broadcast, but by the time it has the mutex again others may
 * have had it: hence the loop.
 *
 * In a select it is one case among others, with the mutex locked before and after:
 *
 *	leat_mutex_lock(&q->mutex);
 *	while (!q->first && !done)
 *		chan_select {
 *			case_cond(&q->filled, &q->mutex)
 *				;
 *			case_recv(leat_ctx_done(ctx))
 *				done = true;
 *		}
 *
 * Zero-initialised it is ready; it needs no destructor and must not be copied after its first use.
 */
#ifndef LEAT_COND_H
#define LEAT_COND_H

#include <leat/mutex.h>
#include <leat/select.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_cond {
	uint64_t leat__queue[8]; /* who waits */
	void *leat__address;     /* its own, from its first use on */
} __attribute__((aligned(16))) leat_cond;

/*
 * Unlock m, which the caller has locked, park until a signal or broadcast picks this wait, and lock m again.
 *
 * It counts as waiting before m is unlocked: no signal sent by who locked m after that is missed.  Never
 * returns without one.  Panics "sync.Cond is copied"; fatal "sync: unlock of unlocked mutex".
 * Any goroutine, any thread.  The signal or broadcast happens before the return of the wait that it ends.
 * c and m must outlive the call.  Takes one lock besides m's, never allocates.
 */
LEAT_API void leat_cond_wait(leat_cond *c, leat_mutex *m);

/*
 * The same, but give up when ctx is done (NULL: no context): 0, -ECANCELED or -ETIMEDOUT.  m is locked
 * again in each case, which no context hurries; where ctx is done already it was not unlocked.  A signal
 * goes to a wait that then returns 0, or to the next one: who gives up takes none along.
 */
LEAT_API int leat_cond_wait_ctx(leat_cond *c, leat_mutex *m, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Wake the longest waiter, if there is one; else it does nothing, and nothing remembers it.
 *
 * Any goroutine, any thread, with the mutex locked or not.  Panics "sync.Cond is copied".  Never parks.
 * May be the last use of c: it is over once the waiter returns.  Two loads when nobody waits.
 */
LEAT_API void leat_cond_signal(leat_cond *c);

/* Wake all who wait, and nobody who comes later.  Else as leat_cond_signal. */
LEAT_API void leat_cond_broadcast(leat_cond *c);

/* What LEAT_CASE_COND is made of.  Private. */
LEAT_API bool leat__select_add_cond(leat__select *s, leat_cond *c, leat_mutex *m);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_cond_wait_ctx(...) __extension__ leat_cond_wait_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/*
 * LEAT_CASE_COND(c, m): a case of chan_select that is chosen when c is signalled while the select waits.
 *
 * m, which guards what is waited for, is locked by the caller, and is locked when a body begins, whichever
 * was chosen.  The case is never ready at once.  If another one is, or there is a default, m stays locked all
 * the time.  Else the select queues on all its channels and on c, then unlocks m and parks: so nothing that
 * is signalled by who locked m after that is missed.  A signal goes to a select that then chooses this
 * case, or to the next waiter.
 * c and m are evaluated once, on entry.  There may be several such cases, of one mutex: panics
 * "select: case_cond with two mutexes", and "sync.Cond is copied", before anything else is done.
 */
#define LEAT_CASE_COND(c, m)                                                                       \
	LEAT__ONCE(__COUNTER__, LEAT__OTHER_CASE(leat__select_add_cond(&leat__chan_select, (c), (m))))

#ifndef LEAT_NO_SHORT_NAMES
#define case_cond(c, m) LEAT_CASE_COND(c, m)
#endif

#endif /* !__cplusplus */

#endif
