/* SPDX-License-Identifier: MIT */
/*
 * Finding work where a processor has none of its own (next.c), and waking those who would.  How threads
 * sleep: idle.c.
 *
 * Invariants (scheduler's lock)
 *  - A processor is held by one M (p->m == m, m->p == p), or idle (p->idle), or surplus.
 *  - An idle processor's own queues are empty.
 *  - An M on the idle list sleeps, or is about to, on its wake word.
 *  - held == 0 means that no goroutine runs but detached ones.
 *
 * No lost wake-up.  Who makes work available stores it in a ring or deque, then looks for idle
 * processors; who goes idle publishes that, then looks into all rings and deques once more.  With a
 * fence between the two steps on each side (light for the first, which runs a million times as often,
 * heavy for the second) one of them sees the other.  Without the last look a goroutine waits until the
 * monitor comes by.
 *
 * Who makes work available wakes nobody either while somebody searches.  So whoever ends a search
 * answers for what was stored meanwhile: it goes idle, and looks once more itself (all but who rests: below);
 * or it has found something, and then, after a full fence, looks for idle processors as they would have; or
 * there was no idle processor to begin with, which it saw, and says, under the lock under which the next one
 * becomes idle.  An atomic addition is no full fence on Arm.  The same holds for who fires a batch of
 * timers (firing): it looks for idle processors after the last, unless timers are dense and it keeps up
 * with them: then what it held back is the monitor's, as with the gap.
 *
 * A wake-up costs 43 us on the other core, as much as a thousand channel operations, so: one at a
 * time (searching), not again within a gap that a successful search sets to 10 us and a fruitless one
 * doubles up to 2 ms; and a thread spins for 60 us before it sleeps.  It costs who wakes, too, 3 us or,
 * in a virtual machine, 80: so the gap is not less than five times what it cost of late, and who makes
 * much work of 10 us each gets to make it.  What a gap delays is bounded by the monitor.  The longest one
 * ends by the monitor's word, so that until then who makes work available reads no clock for each: 25 cycles,
 * a select with two processors 60 to 51 ns.
 *
 * Work that keeps a thief busy for less than his search took is better left to its owner, whom each theft
 * costs cache misses or a membarrier.  Where that was so six times in a row, the thief rests: he sleeps
 * although there is work on the queues of others, as long as one of them holds a processor, and the gap
 * doubles.  Once woken he rests after three more.  What is too much for its owner the monitor finds, where
 * it waits from one look to the next.  To start a million goroutines on stacks of 8 KiB, each of which then
 * sleeps, took two processors 4 s and 8 s of CPU time, and one 2.4; now two take 2.2 and 2.9.
 *
 * Only work that has waited 5 us is stolen: the owner is about to run the rest itself (spawn 26 to 16
 * ns, select 56 to 43).  The thief compares two looks, the owner pays nothing.  New goroutines of an owner that
 * computes, and has neither started nor chosen one for 1 us, are not about to run: fork-join of two tasks of 10
 * us 20.7 to 17.4.
 */
#include "sched/netpoll.h"
#include "sched/policy.h"
#include "sched/scheduler.h"
#include "sched/settings.h"
#include "sched/timer.h"

#define SEARCH_US 60
#define SEARCH_POLLER_US                                                                           \
	2 /* while work comes from the poller, where a sleep is short: echo took 4.1 us of CPU with 60, 3.4 with 2 */
#define STEAL_AGE_US 5
#define COMPUTES_US  1
#define LIGHT_US     2 /* what keeps a thief busy for less was not worth it */
#define LIGHT        6 /* so many times in a row, and he rests */
#define LIGHT_AGAIN  3 /* and so many once he has been woken */
#define GAP_MIN_US   10
#define GAP_MAX_US   2000
#define WAKE_SHARE   5   /* of the time of who wakes, one part in so many goes into that at most */
#define COST_MAX_US  100 /* of a wake-up: what took longer was something else */

/* --- processors change hands */

struct leat__p *leat__idle_take(void)
{
	struct leat__p *p = leat__sched.idle_p;

	if (p) {
		leat__sched.idle_p = p->idle_next;
		p->idle = false;
		store_relaxed(&leat__sched.idle, load_relaxed(&leat__sched.idle) - 1);
	}
	return p;
}

void leat__idle_put(struct leat__p *p)
{
	if (p->id >= leat__sched.procs)
		return; /* surplus: rests until leat_procs wants it again */
	p->idle = true;
	p->idle_next = leat__sched.idle_p;
	leat__sched.idle_p = p;
	store_relaxed(&leat__sched.idle, load_relaxed(&leat__sched.idle) + 1);
}

void leat__acquire(struct leat__m *m, struct leat__p *p)
{
	m->p = p;
	store_release(&p->m, m); /* to the monitor, which looks into m: it may be new */
	store_relaxed(&p->tick, load_relaxed(&p->tick) + 1);
	leat__sched.held++;
	fetch_add_relaxed(&leat__sched.acquisitions, 1);
	if (unlikely(leat__threads_tight()))
		leat__mind_last_thread();
}

void leat__release(struct leat__m *m)
{
	struct leat__p *p = m->p;

	m->p = NULL;
	store_relaxed(&p->m, NULL);
	leat__sched.held--;
	leat__idle_put(p);
}

/* A surplus processor gives up what it has.  On its own scheduler context. */
static COLD void retire_processor(struct leat__m *m)
{
	struct leat__p *p = m->p;
	struct leat__g *g = load_relaxed(&p->next);

	leat__lock(&leat__sched.lock);
	atomic_fetch_and_explicit(&p->attention, ~(uint32_t)LEAT__ATTEND_RETIRE, memory_order_relaxed);
	if (p->id < leat__sched.procs) { /* wanted again meanwhile */
		leat__unlock(&leat__sched.lock);
		return;
	}
	store_relaxed(&p->next, NULL);
	if (g)
		leat__global_append(g);
	while ((g = leat__ring_get(p)))
		leat__global_append(g);
	while ((g = leat__deque_steal(p, true)))
		leat__global_append(g);
	leat__release(m);
	if (leat__sched.queued && leat__sched.idle_p)
		leat__start_machine(leat__idle_take(), false);
	else
		leat__unlock(&leat__sched.lock);
}

void leat__wake_slow(void)
{
	int none = 0;
	struct leat__p *p;
	uint64_t start, cost;

	if (load_relaxed(&leat__sched.firing))
		return;
	if (!cas_acq_rel(&leat__sched.searching, &none, 1))
		return;
	leat__lock(&leat__sched.lock);
	p = leat__idle_take();
	if (!p) {
		/* Before anybody becomes idle: who relied on this search saw an idle processor, or will. */
		fetch_add_relaxed(&leat__sched.searching, -1);
		leat__unlock(&leat__sched.lock);
		return;
	}
	start = leat__ticks();
	store_relaxed(&leat__sched.woke_at, start);
	leat__start_machine(p, true);
	cost = leat__ticks() - start;
	if (cost > COST_MAX_US * leat__sched.ticks_per_us)
		cost = COST_MAX_US * leat__sched.ticks_per_us;
	store_relaxed(&leat__sched.wake_cost, (3 * load_relaxed(&leat__sched.wake_cost) + cost) / 4);
}

void leat__wake_now(void)
{
	if (load_relaxed(&leat__sched.idle) && !load_relaxed(&leat__sched.searching))
		leat__wake_slow();
}

/* --- stealing */

/* What a thief saw of a victim at its last look. */
struct look {
	uint64_t at;      /* 0: never */
	uint32_t tail;    /* of the ring: what lies before it has waited since */
	uint32_t spawned; /* so many had been pushed on the deque: an older one has waited since */
	uint32_t tick;    /* of the owner's decisions: with spawned it tells whether he computes */
	bool again;       /* has been looked at for that */
};

static struct leat__g *steal_from(struct leat__p *p, struct leat__p *victim, struct look *look,
                                  uint64_t now)
{
	uint64_t us = leat__sched.ticks_per_us;
	bool aged = look->at && now - look->at >= STEAL_AGE_US * us;
	struct leat__g *g;

	if (look->at && !aged) {
		if (look->again || now - look->at < COMPUTES_US * us)
			return NULL;
		look->again = true;
		if (load_relaxed(&victim->tick) == look->tick &&
		    load_relaxed(&victim->spawned) == look->spawned)
			return leat__deque_steal(victim, false);
		return NULL;
	}
	if (aged) {
		g = leat__ring_steal(p, victim, look->tail);
		if (g)
			return g;
	}
	/* The steal may fail, or get another. */
	if (aged && leat__deque_has_before(victim, look->spawned)) {
		g = leat__deque_steal(victim, false);
		if (g)
			return g;
	}
	look->at = now;
	look->tail = load_acquire(&victim->tail);
	look->spawned = load_relaxed(&victim->spawned);
	look->tick = load_relaxed(&victim->tick);
	look->again = false;
	return NULL;
}

bool leat__anything_shared(void)
{
	int made = load_acquire(&leat__sched.made);

	if (load_relaxed(&leat__sched.queued))
		return true;
	for (int i = 0; i < made; i++)
		if (leat__p_has_shared_work(load_relaxed(&leat__sched.p[i])))
			return true;
	return false;
}

/* m->found_at says when, if it was stolen. */
static struct leat__g *search_round(struct leat__m *m, struct look *looks, int made)
{
	struct leat__p *p = m->p;
	int start = (int)leat__choose(p, LEAT__CHOOSE_VICTIM, (uint32_t)made);
	uint64_t now = leat__ticks();

	for (int i = 0; i < made; i++) {
		struct leat__p *victim = load_relaxed(&leat__sched.p[(start + i) % made]);
		struct leat__g *g = victim == p ? NULL : steal_from(p, victim, &looks[victim->id], now);

		if (g) {
			m->found_at = leat__ticks();
			return g;
		}
	}
	return leat__global_take(p, LEAT__GLOBAL_TAKE);
}

/* What m stole last has been done, if it did: was it worth it? */
static void weigh(struct leat__m *m)
{
	if (!m->found_at)
		return;
	if (leat__ticks() - m->found_at >= LIGHT_US * leat__sched.ticks_per_us)
		m->light = 0;
	else if (m->light < LIGHT)
		m->light++;
	m->found_at = 0;
}

/* m had better not search, but rest. */
static bool tired(struct leat__m *m)
{
	weigh(m);
	if (m->light < LIGHT)
		return false;
	m->light = LIGHT - LIGHT_AGAIN;
	return true;
}

static void set_wake_gap(uint64_t gap)
{
	uint64_t us = leat__sched.ticks_per_us,
	         least = WAKE_SHARE * load_relaxed(&leat__sched.wake_cost);

	if (least < GAP_MIN_US * us)
		least = GAP_MIN_US * us;
	if (gap < least)
		gap = least;
	if (gap >= GAP_MAX_US * us) {
		gap = GAP_MAX_US * us;
		/* A search that fails long after a wake-up, by whom something else woke, is no reason. */
		if (leat__ticks() - load_relaxed(&leat__sched.woke_at) < gap)
			gap = LEAT__WAKE_NOBODY;
	}
	store_relaxed(&leat__sched.wake_gap, gap);
}

bool leat__wake_nobody(void)
{
	uint64_t gap = LEAT__WAKE_NOBODY, longest = GAP_MAX_US * leat__sched.ticks_per_us;

	if (load_relaxed(&leat__sched.wake_gap) != gap)
		return false;
	/* The next look may come as late as that again. */
	if (leat__ticks() - load_relaxed(&leat__sched.woke_at) < longest / 2)
		return true;
	/* Unless a search has set another. */
	if (cas_acq_rel(&leat__sched.wake_gap, &gap, longest) && leat__anything_shared())
		leat__wake_now();
	return true;
}

/* Look at the others for a while. */
static struct leat__g *search(struct leat__m *m)
{
	struct look looks[LEAT__MAX_PROCS];
	int made = load_acquire(&leat__sched.made), extra = 0;
	uint64_t us = leat__sched.ticks_per_us, end;
	struct leat__g *g;

	end = leat__ticks() + (leat__netpoll_gives() ? SEARCH_POLLER_US : SEARCH_US) * us;
	if (!m->searching) {
		fetch_add_relaxed(&leat__sched.searching, 1);
		m->searching = true;
	}
	for (int i = 0; i < made; i++)
		looks[i].at = 0;
	for (;;) {
		g = search_round(m, looks, made);
		if (g || leat__timers_look_at(leat__timers_first()) <= leat__clock())
			break;
		if (load_relaxed(&leat__poll_waiters) && leat__netpoll_look(m, STEAL_AGE_US)) {
			g = leat__next_here(m->p);
			break;
		}
		for (int i = 0; i < 40; i++)
			leat__cpu_relax();
		if (leat__ticks() >= end) {
			/* What is there has not aged yet: a little longer. */
			if (extra++ >= 3 * STEAL_AGE_US || !leat__anything_shared())
				break;
			end = leat__ticks() + us;
		}
	}
	if (!g)
		set_wake_gap(2 * load_relaxed(&leat__sched.wake_gap));
	else if (!m->light || !m->found_at)
		set_wake_gap(0);
	return g;
}

/* Before a last look. */
static void stop_searching(struct leat__m *m)
{
	if (m->searching) {
		m->searching = false;
		fetch_add_relaxed(&leat__sched.searching, -1);
	}
}

/* Without one: wake in the stead of those who relied on this search. */
static void hand_on_search(struct leat__m *m)
{
	if (m->searching) {
		stop_searching(m);
		fence_seq_cst();
		leat__wake();
	}
}

/* --- nothing to do */

/* m, which has none, gets a processor that nobody holds, unless there is none.  Locked; unlocks if so. */
static bool take_processor(struct leat__m *m)
{
	struct leat__p *p = leat__free_take();

	if (!p)
		return false;
	leat__acquire(m, p);
	leat__unlock(&leat__sched.lock);
	leat__monitor_ring();
	return true;
}

/* m's processor has nothing to do: give it up and sleep, unless something came meanwhile; with rests that
   is no matter, as long as somebody holds a processor. */
static struct leat__g *go_idle(struct leat__m *m, bool rests)
{
	struct leat__g *g;

	leat__lock(&leat__sched.lock);
	g = leat__global_get(m->p, LEAT__GLOBAL_TAKE);
	if (g) {
		leat__unlock(&leat__sched.lock);
		return g;
	}
	stop_searching(m);
	leat__release(m);
	rests &= leat__sched.held > 0;
	/* Held by nobody, no processor gets work but under this lock. */
	if (leat__sched.held && !rests) {
		/* A fence can last 50 us: let nobody have a thread made meanwhile. */
		leat__sched.settling++;
		leat__unlock(&leat__sched.lock);
		leat__fence_heavy();
		leat__lock(&leat__sched.lock);
		leat__sched.settling--;
	}
	if ((leat__sched.starting || (!rests && leat__sched.idle_p && leat__anything_shared())) &&
	    take_processor(m))
		return NULL;
	leat__check_deadlock();
	if (!leat__sched.starting || !take_processor(m))
		leat__sleep_machine(m);
	return NULL;
}

/* leat__find_work, as far as the choice. */
static struct leat__g *find_work(struct leat__m *m)
{
	struct leat__g *g = NULL;
	int64_t first;
	bool rests;

	for (;;) {
		if (unlikely(m->ending))
			return NULL;
		if (!m->p) {
			leat__lock(&leat__sched.lock);
			if (!take_processor(m))
				leat__sleep_machine(m);
			continue;
		}
		if (unlikely(load_relaxed(&m->p->attention) & LEAT__ATTEND_RETIRE)) {
			hand_on_search(m);
			retire_processor(m);
			continue;
		}
		g = leat__next_here(m->p);
		if (g)
			break;
		first = leat__timers_first();
		if (first != INT64_MAX && leat__timers_keep_until(first) <= leat__clock()) {
			leat__timers_run(m);
			g = leat__next_here(m->p);
			if (g)
				break;
		}
		if (load_relaxed(&leat__poll_waiters) && leat__netpoll_look(m, 0))
			continue;
		/* Told to retire in between: then nothing was taken from its own queues. */
		if (unlikely(load_relaxed(&m->p->next) || leat__p_has_shared_work(m->p)))
			continue;
		/* Where dense timers are all that it had, it sleeps until there is a batch of them. */
		if (m->timers_gave && leat__timers_dense() && !leat__anything_shared()) {
			g = go_idle(m, false);
			if (g)
				break;
			continue;
		}
		/* With one processor there is nobody to steal from, but for one that is surplus, and may be
		   for as long as its goroutine computes. */
		rests = tired(m);
		if (rests) {
			set_wake_gap(2 * load_relaxed(&leat__sched.wake_gap));
			m->timers_gave = false;
		} else if ((leat__sched.procs > 1 || leat__anything_shared()) && !leat__policy &&
		           (m->searching || 2 * load_relaxed(&leat__sched.searching) < leat__sched.procs)) {
			g = search(m);
			m->timers_gave = false;
			if (g)
				break;
			/* Due, or found ready. */
			if (leat__timers_look_at(leat__timers_first()) <= leat__clock() ||
			    load_relaxed(&m->p->next) || leat__p_has_shared_work(m->p))
				continue;
		}
		g = go_idle(m, rests);
		if (g)
			break;
	}
	hand_on_search(m);
	store_relaxed(&m->p->tick, load_relaxed(&m->p->tick) + 1);
	return g;
}

struct leat__g *leat__find_work(struct leat__m *m)
{
	struct leat__g *g = find_work(m);

	while (unlikely(leat__settings.migrate) && g && leat__migrate(m, g))
		g = find_work(m);
	return g;
}
