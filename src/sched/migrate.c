/* SPDX-License-Identifier: MIT */
/*
 * LEAT_MIGRATE: every park, every yield, every lost processor and some of the calls that could have lost
 * one resume the goroutine on another thread, so that a test sees what a change of threads breaks.
 *
 * What chooses the next goroutine (leat__next) answers "none" by a bit of the processor's that asks for
 * attention, so all go by way of the scheduler context; there the thread that a goroutine last ran on is
 * known, and if it is this one, another gets the processor.  So it works with one processor, too.
 * Entries go the slow way by LEAT__RETAKE_SLOW.  Nothing is slower where the setting is off.
 *
 * A thread that gave its processor away waits, for a while, until another has taken it: the monitor may
 * have to make one (threads.c).  Where none is to be had the goroutine runs here all the same, and so it
 * does for the next ones, without waiting.  What is locked to its thread stays there.
 */
#include "sched/scheduler.h"

#define PATIENCE INT64_C(2000000000) /* a thread begins by then even on a loaded machine */
#define CONTENT  1000                /* goroutines that stay where they are after a wait in vain */

static _Atomic int content;

/* Nobody has taken p yet. */
static bool waits(const struct leat__p *p)
{
	bool starting;

	leat__lock(&leat__sched.lock);
	starting = p->starting;
	leat__unlock(&leat__sched.lock);
	return starting;
}

/* No thread is idle, and none can be had, or could not a moment ago. */
static bool short_of_threads(void)
{
	if (load_relaxed(&leat__sched.idle_ms))
		return false;
	return leat__threads_tight() ||
	       (load_relaxed(&content) > 0 && fetch_add_relaxed(&content, -1) > 0);
}

COLD bool leat__migrate(struct leat__m *m, struct leat__g *g)
{
	struct leat__p *p = m->p;
	struct leat__g *before = load_relaxed(&p->next);
	int64_t until;

	if (g->special & (LEAT__LOCKED | LEAT__STOPPED))
		return false;
	if (load_relaxed(&g->sequence) != (uint32_t)m->tid || short_of_threads()) {
		store_relaxed(&g->sequence, (uint32_t)m->tid);
		return false;
	}
	store_relaxed(&g->sequence, 0);
	store_relaxed(&p->next, g);
	if (before)
		leat__ring_put(p, before);
	leat__lock(&leat__sched.lock);
	m->p = NULL;
	store_relaxed(&p->m, NULL);
	leat__sched.held--;
	leat__start_machine(p, false);
	until = leat__os_now() + PATIENCE;
	while (waits(p)) {
		if (leat__os_now() > until) {
			store_relaxed(&content, CONTENT);
			break;
		}
		leat__os_backoff(64); /* some 50 us */
	}
	return true;
}
