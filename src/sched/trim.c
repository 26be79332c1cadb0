/* SPDX-License-Identifier: MIT */
/*
 * When memory goes back: once a second what lies in the pool grows older, and what has lain there for
 * more than a second loses its pages, a few at a time, so that the monitor's other duties do not wait.
 * A processor that nobody has held for a second has its cache emptied into the pool; the caches of
 * those that work stay as they are, hot.
 *
 * When nothing runs any more the monitor stays up for this until all is given back, some two seconds,
 * then sleeps.
 *
 * All state here is the monitor's.
 */
#include "sched/trim.h"

#include "sched/scheduler.h"

#define PERIOD_NS ((int64_t)1000000000)

static int64_t due;
static bool in_progress; /* there is more to give back at once */

static bool holds_stacks(const struct leat__p *p)
{
	for (unsigned class = 0; class < LEAT__STACK_CLASSES; class ++)
		if (p->stacks[class].list || p->stacks[class].spare)
			return true;
	return false;
}

/* Nobody holds p, nor is about to.  Locked. */
static bool unheld(const struct leat__p *p)
{
	return !load_relaxed(&p->m) && !p->starting;
}

static void flush_unheld(void)
{
	leat__lock(&leat__sched.lock);
	for (int i = 0; i < load_relaxed(&leat__sched.made); i++) {
		struct leat__p *p = load_relaxed(&leat__sched.p[i]);
		uint32_t tick = load_relaxed(&p->tick);

		if (unheld(p) && tick == p->trim_tick)
			for (unsigned class = 0; class < LEAT__STACK_CLASSES; class ++)
				leat__stack_cache_flush(&p->stacks[class], class);
		p->trim_tick = tick;
	}
	leat__unlock(&leat__sched.lock);
}

void leat__trim(int64_t now)
{
	/* It takes what lies on a stack that nobody uses for out of bounds, the notes there too. */
	if (leat__valgrind_watches())
		return;
	if (in_progress)
		in_progress = leat__stack_pool_step();
	if (in_progress || now < due)
		return;
	due = now + PERIOD_NS;
	flush_unheld();
	leat__stack_pool_age();
	in_progress = true;
}

int64_t leat__trim_next(void)
{
	bool more;

	if (leat__valgrind_watches())
		return INT64_MAX;
	if (in_progress)
		return 0;
	more = leat__stack_pool_warm();
	leat__lock(&leat__sched.lock);
	for (int i = 0; i < load_relaxed(&leat__sched.made) && !more; i++) {
		const struct leat__p *p = load_relaxed(&leat__sched.p[i]);

		more = unheld(p) && holds_stacks(p);
	}
	leat__unlock(&leat__sched.lock);
	return more ? due : INT64_MAX;
}
