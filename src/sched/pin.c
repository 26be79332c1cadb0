/* SPDX-License-Identifier: MIT */
/*
 * Goroutines that are locked to a thread.
 *
 * A locked goroutine stands in the queues like any other (as does one that is stopped: stop.c).  Whoever takes it off cannot run it: it hands
 * its processor to the goroutine's own thread, which sleeps in leat__locked_wait, and looks for
 * another processor.  And where a locked goroutine stops, its thread runs nobody else: it goes to its
 * scheduler context, gives its processor away, and sleeps.
 *
 * Invariants
 *  - g->special has LEAT__LOCKED exactly while g->thread is g's M and that M's locked is g.
 *  - m->wake of such an M is 0, but from a hand-over until its thread has seen it.
 *  - A hand-over and the thread's own giving away exclude each other by the scheduler's lock: a hand-over
 *    that finds the thread still with a processor, since g was readied before it got to sleep, only
 *    says so, and the thread keeps what it has.
 *
 * What others pay: a look at a byte of the next goroutine's descriptor, on the line that is read in any
 * case.
 */
#include "sched/policy.h"
#include "sched/scheduler.h"

#include <leat/thread.h>

void leat_lock_thread(void)
{
	struct leat__m *m = leat__enter();

	/* Under a policy one thread runs everything. */
	if (!m->foreign && !leat__policy && m->locks++ == 0) {
		store_relaxed(&m->wake, 0);
		m->locked = m->g;
		m->g->thread = m;
		m->g->special |= LEAT__LOCKED;
	}
	leat__leave(m);
}

static void unlock(struct leat__m *m)
{
	m->locks = 0;
	m->locked->special &= (uint8_t)~LEAT__LOCKED;
	m->locked->thread = NULL;
	m->locked = NULL;
}

void leat_unlock_thread(void)
{
	struct leat__m *m = leat__enter();

	if (m->locks > 0 && --m->locks == 0)
		unlock(m);
	leat__leave(m);
}

void leat__unpin(void *unused)
{
	(void)unused;
	leat_unlock_thread();
}

void leat__locked_end(struct leat__m *m)
{
	unlock(m);
	m->ending = true;
}

struct leat__g *leat__locked_wait(struct leat__m *m)
{
	leat__lock(&leat__sched.lock);
	store_relaxed(&m->pinned, true);
	if (m->p && load_relaxed(&m->wake) == 0)
		leat__give_away(m);
	else
		leat__unlock(&leat__sched.lock);
	/* Acquire: the processor, and all that was done on it. */
	while (load_acquire(&m->wake) == 0)
		leat__os_wait(&m->wake, 0, INT64_MAX);
	store_relaxed(&m->wake, 0);
	store_relaxed(&m->pinned, false);
	leat__monitor_ring();
	return m->locked;
}

void leat__hand_to(struct leat__g *g, struct leat__p *p)
{
	struct leat__m *to = g->thread;

	if (g->special & LEAT__STOPPED)
		leat__stop_over(g);
	leat__acquire(to, p);
	store_release(&to->wake, 1);
	leat__unlock(&leat__sched.lock);
	leat__os_wake(&to->wake, 1);
}

bool leat__hand_off(struct leat__m *m, struct leat__g *g)
{
	struct leat__p *p = m->p;
	struct leat__m *to;

	leat__lock(&leat__sched.lock);
	/* One that was to be stopped may have come in by itself meanwhile. */
	to = g->special & (LEAT__LOCKED | LEAT__STOPPED) ? g->thread : m;
	if (to == m) {
		leat__unlock(&leat__sched.lock);
		return false;
	}
	if (!to->p) {
		m->p = NULL;
		leat__sched.held--;
		leat__hand_to(g, p);
		return true;
	}
	store_release(&to->wake, 1);
	leat__unlock(&leat__sched.lock);
	leat__os_wake(&to->wake, 1);
	return true;
}
