/* SPDX-License-Identifier: MIT */
/*
 * What a processor runs next, of what it has and of what waits globally.
 *
 * The fast order is next, the ring, the deque, then the global queue.  Alone it would starve all but the
 * first that is never empty, so every so many decisions, or when the monitor asks for it (attention), the
 * others come first.
 *
 * So are the processor's timers looked at: at each yield, and at each fourth decision, but not twice in 5 us,
 * which costs nothing while there are none.  At each 61st decision alone, and by the monitor, whose thread takes
 * 50 us to wake, a goroutine that slept was late by 57 us in the median among others that compute 10 us each;
 * now by 6.
 *
 * Invariants
 *  - until_poll reaches 0 only between next and poll, which sets it anew.
 *  - What is chosen is in no queue any more.
 */
#include "sched/netpoll.h"
#include "sched/policy.h"
#include "sched/scheduler.h"
#include "sched/timer.h"

#define POLL_EVERY    61   /* scheduling decisions, as Go: the global queue must not starve */
#define LOOK_US       50   /* between looks at descriptors beside other work */
#define GLANCE_US     5    /* between looks at a processor's own timers, at least */
#define BACKLOG_US    1000 /* until the next one where more than a batch was due, but for polls */
#define STARTED_LOOKS 1000 /* for a goroutine that has started, among those that have not */

const struct leat__policy *leat__policy;

/* A policy chooses among all that this processor could run. */
static COLD struct leat__g *policy_next(struct leat__p *p)
{
	static struct leat__g *all[LEAT__RING + LEAT__DEQUE + 1];
	struct leat__g *g, *chosen;
	uint32_t n = 0, pick;

	while (n < LEAT__RING && (g = leat__global_take(p, 1)))
		all[n++] = g;
	while ((g = leat__ring_get(p)))
		all[n++] = g;
	while (n < ARRAY_LEN(all) - 1 && (g = leat__deque_steal(p, true)))
		all[n++] = g;
	g = load_relaxed(&p->next);
	store_relaxed(&p->next, NULL);
	if (g)
		all[n++] = g;
	if (!n)
		return NULL;
	pick = leat__policy->choose(LEAT__CHOOSE_NEXT, n);
	chosen = all[pick];
	for (uint32_t i = 0; i < n; i++)
		if (i != pick)
			leat__ring_put(p, all[i]);
	return chosen;
}

/* Whose turn it is among n. */
static unsigned turn(struct leat__p *p, unsigned n)
{
	p->turn = (p->turn + 1) % 6;
	return p->turn % n;
}

static struct leat__g *take_in_turn(struct leat__p *p)
{
	switch (turn(p, 3)) {
	case 0:
		return leat__urgent_take();
	case 1:
		return leat__global_take(p, 1);
	default:
		return leat__ring_get(p);
	}
}

/*
 * Goroutines are stopped for want of threads, and p may have the last one: what has started comes first,
 * since that gives the thread back or can do with its own.  NULL: nothing has, as far as one looks.
 * others: those who wake one another through next had their share.
 */
static COLD struct leat__g *next_started(struct leat__p *p, bool others)
{
	struct leat__g *g = load_relaxed(&p->next);
	int missed = 0; /* in a row */

	store_relaxed(&p->next, NULL);
	leat__timers_run(load_relaxed(&p->m));
	if (g && others) {
		leat__ring_put(p, g);
		g = NULL;
	}
	for (int n = 0; !g && missed < 3 && n < STARTED_LOOKS; n++) {
		g = take_in_turn(p);
		missed = g ? 0 : missed + 1;
		if (g && !g->stack) {
			leat__deque_push(p, g);
			g = NULL;
		}
	}
	return g;
}

void leat__mind_last_thread(void)
{
	for (int i = 0; i < load_relaxed(&leat__sched.made); i++)
		atomic_fetch_or_explicit(&load_relaxed(&leat__sched.p[i])->attention, LEAT__ATTEND_STARTED,
		                         memory_order_relaxed);
}

/* Others asked for it: the deque's oldest, or the ring's head. */
static struct leat__g *attend(struct leat__p *p, uint32_t attention)
{
	struct leat__g *g;

	atomic_fetch_and_explicit(&p->attention, ~(uint32_t)(LEAT__ATTEND_OLDEST | LEAT__ATTEND_RING),
	                          memory_order_relaxed);
	if (attention & LEAT__ATTEND_OLDEST) {
		g = leat__deque_steal(p, true);
		if (g)
			return g;
	}
	if (attention & LEAT__ATTEND_RING) {
		g = load_relaxed(&p->next);
		store_relaxed(&p->next, NULL);
		if (g)
			leat__ring_put(p, g);
		return leat__ring_get(p);
	}
	return NULL;
}

/* An urgent one, every other time. */
static struct leat__g *urgent(struct leat__p *p)
{
	return turn(p, 2) ? NULL : leat__urgent_take();
}

/* Those that a batch woke run first: the next one comes with the next poll. */
static void run_timers(struct leat__p *p, uint64_t now)
{
	p->glanced_at = now;
	if (leat__timers_run_own(load_relaxed(&p->m)))
		p->glanced_at = now + BACKLOG_US * leat__sched.ticks_per_us;
}

NOINLINE void leat__timers_look(struct leat__p *p)
{
	uint64_t now = leat__ticks();

	if ((int64_t)(now - p->glanced_at) >= (int64_t)(GLANCE_US * leat__sched.ticks_per_us))
		run_timers(p, now);
}

/*
 * Every so often: what the fast order would starve.  NULL: go on with that order.
 *
 * Where both are due, attention and the global queue take turns: behind goroutines that compute, each
 * decision lasts a time slice, and new ones that wait below would keep out what a timer woke.
 */
static NOINLINE struct leat__g *poll(struct leat__p *p)
{
	uint32_t attention = load_relaxed(&p->attention);
	uint32_t asked = attention & (LEAT__ATTEND_OLDEST | LEAT__ATTEND_RING);
	bool due = p->until_poll == 0;
	struct leat__g *g;

	if (unlikely(attention & LEAT__ATTEND_STARTED)) {
		if (!leat__threads_tight()) {
			atomic_fetch_and_explicit(&p->attention, ~(uint32_t)LEAT__ATTEND_STARTED,
			                          memory_order_relaxed);
		} else if (load_relaxed(&leat__sched.stopped)) {
			atomic_fetch_and_explicit(&p->attention, ~(uint32_t)LEAT__ATTEND_RING,
			                          memory_order_relaxed);
			if (due)
				p->until_poll = POLL_EVERY;
			return next_started(p, due || (attention & LEAT__ATTEND_RING));
		}
		if (!due && !asked)
			return NULL;
	}
	if (asked && !p->poll_owed) {
		g = attend(p, attention);
		if (g) {
			p->poll_owed = due;
			if (due)
				p->until_poll = 1;
			return g;
		}
	}
	p->poll_owed = false;
	p->until_poll = POLL_EVERY;
	run_timers(p, leat__ticks());
	if (unlikely(load_relaxed(&leat__poll_waiters)))
		leat__netpoll_look(load_relaxed(&p->m), LOOK_US);
	g = urgent(p);
	if (g)
		return g;
	/* Who was handed something goes first, once: what waits here takes turns, and can do without one. */
	p->global_owed = !p->global_owed && load_relaxed(&p->next);
	return p->global_owed ? NULL : leat__global_take(p, 1);
}

/* heed: what of attention concerns the caller. */
static inline struct leat__g *next(struct leat__p *p, uint32_t heed)
{
	struct leat__g *g;

	store_relaxed(&p->tick, load_relaxed(&p->tick) + 1);
	if (unlikely(leat__policy != NULL))
		return policy_next(p);
	if (unlikely(--p->until_poll == 0 || (load_relaxed(&p->attention) & heed))) {
		if (load_relaxed(&p->attention) & heed & (LEAT__ATTEND_RETIRE | LEAT__ATTEND_MIGRATE)) {
			p->until_poll++;
			return NULL;
		}
		g = poll(p);
		if (g)
			return g;
	}
	if ((p->until_poll & 3) == 0)
		leat__timers_glance(p);
	g = load_relaxed(&p->next);
	if (g) {
		store_relaxed(&p->next, NULL);
		return g;
	}
	if (unlikely(load_relaxed(&leat__sched.urgents))) {
		g = urgent(p);
		if (g)
			return g;
	}
	g = leat__ring_get(p);
	if (g)
		return g;
	g = leat__deque_pop(p);
	if (g) {
		if (unlikely(load_relaxed(&leat__sched.searching)))
			leat__deque_offer(p); /* the rest, before this one runs for long */
		return g;
	}
	return leat__global_take(p, LEAT__GLOBAL_TAKE);
}

struct leat__g *leat__next(struct leat__p *p)
{
	return next(p, ~UINT32_C(0));
}

struct leat__g *leat__next_here(struct leat__p *p)
{
	return next(p, ~(uint32_t)LEAT__ATTEND_MIGRATE);
}
