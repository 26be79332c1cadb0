/* SPDX-License-Identifier: MIT */
/*
 * LEAT_MIGRATE: every park, every yield, every lost processor and some of the calls that could have lost
 * one resume the goroutine on another thread, so that a test sees what a change of threads breaks.
 *
 * What chooses the next goroutine (leat__next) answers "none" by a bit of the processor's that asks for
 * attention, so all go by way of the scheduler context; there the thread that a goroutine last ran on is
 * known, and another one gets the processor if it is this one.  So it works with one processor, too.
 * Entries go the slow way by LEAT__RETAKE_SLOW.  Nothing is slower where the setting is off.
 */
#include "sched/scheduler.h"

/* Asked for once, whatever comes of it: where no thread is to be had the goroutine must run all the same. */
COLD bool leat__migrate(struct leat__m *m, struct leat__g *g)
{
	struct leat__p *p = m->p;
	struct leat__g *before = load_relaxed(&p->next);

	if (load_relaxed(&g->woken) != (uint32_t)m->tid) {
		store_relaxed(&g->woken, (uint32_t)m->tid);
		return false;
	}
	store_relaxed(&g->woken, 0);
	store_relaxed(&p->next, g);
	if (before)
		leat__ring_put(p, before);
	leat__lock(&leat__sched.lock);
	m->p = NULL;
	store_relaxed(&p->m, NULL);
	leat__sched.held--;
	leat__start_machine(p, false);
	return true;
}
