/* SPDX-License-Identifier: MIT */
/*
 * How the threads that have nothing to do sleep.
 *
 * Invariants (scheduler's lock)
 *  - An M on the idle list sleeps, or is about to, on its wake word: 1 says that it was given a processor
 *    and is off the list, 2 that it shall look at the timers anew.
 *
 * A thread that goes to sleep where more sleep than could be of use at once ends after a second of it,
 * so threads that blocking calls made necessary do not stay for ever.  Who sleeps last is woken first; so where there
 * is a little to do, the same few are woken again and again, and none of these sleeps that long: there one ends
 * for each second in which whoever went to sleep found that many asleep.
 *
 * The first thread that sleeps while there are timers is the keeper: it sleeps until the first timer.
 * Once descriptors have been waited for there is always one, and it sleeps in the poller.
 */
#include "sched/netpoll.h"
#include "sched/policy.h"
#include "sched/scheduler.h"
#include "sched/timer.h"

#define SURPLUS_NS ((int64_t)1000000000) /* so long a thread too many sleeps before it ends */

/* Since when whoever went to sleep found more asleep than could be of use; 0: not now.  Scheduler's lock. */
static int64_t surplus_since;

void leat__keeper_ring(int64_t when)
{
	struct leat__m *m = leat__self(); /* the monitor has no M of its thread */

	/* The keeper publishes until when it sleeps, then looks at the timers; we have published the
	   timer.  Full fences on both sides: only who becomes the first of a queue comes here. */
	fence_seq_cst();
	if (load_relaxed(&leat__sched.keeper_until) <= when)
		return;
	/* Without a keeper all Ms are busy or sleep for good.  A goroutine's own M will see to the timer; a
	   plain thread has none, so the monitor must. */
	if (load_relaxed(&leat__sched.keeper_until) == INT64_MAX) {
		if (!m || !m->p)
			leat__monitor_ring();
		return;
	}
	leat__lock(&leat__sched.lock);
	leat__rouse_keeper();
	leat__unlock(&leat__sched.lock);
}

/* Take m off the idle list, where it is.  Locked. */
static void leave_idle_list(struct leat__m *m)
{
	struct leat__m **link = &leat__sched.idle_m;

	while (*link != m)
		link = &(*link)->idle_next;
	*link = m->idle_next;
	store_relaxed(&leat__sched.idle_ms, load_relaxed(&leat__sched.idle_ms) - 1);
}

/* Become the keeper if there is need.  Locked. */
static bool keep(struct leat__m *m)
{
	bool polls = leat__netpoll_started();
	int64_t first, again;

	if (leat__sched.keeper)
		return false;
	first = leat__timers_first();
	if (first == INT64_MAX) {
		if (!polls)
			return false;
		first = INT64_MAX - 1; /* one that was not a keeper has INT64_MAX */
	}
	leat__sched.keeper = m;
	store_relaxed(&leat__sched.keeper_polls, polls);
	store_relaxed(&leat__sched.keeper_until, first);
	fence_seq_cst();
	/* An earlier one may have come meanwhile.  A later one is no reason to sleep longer: who armed a
	   timer for an instant in between may have seen the first value, and relies on it. */
	again = leat__timers_first();
	if (again < first)
		store_relaxed(&leat__sched.keeper_until, again);
	return true;
}

static void stop_keeping(struct leat__m *m)
{
	if (leat__sched.keeper == m) {
		leat__sched.keeper = NULL;
		store_relaxed(&leat__sched.keeper_polls, false);
		store_relaxed(&leat__sched.keeper_until, INT64_MAX);
	}
}

/* m goes to sleep beside so many others, of whom so many are kept: until when, before it ends; 0: it ends now.  Locked. */
static int64_t sleep_end(const struct leat__m *m, int others, int kept)
{
	int64_t now;

	if (others < kept || leat__policy) {
		surplus_since = 0;
		return INT64_MAX;
	}
	now = leat__os_now();
	if (!surplus_since)
		surplus_since = now;
	if (m->initial)
		return INT64_MAX;
	if (now - surplus_since < SURPLUS_NS)
		return now + SURPLUS_NS;
	surplus_since = now;
	if (!leat__sched.keeper) /* m would be it: another shall */
		leat__rouse(leat__sched.idle_m);
	return 0;
}

void leat__sleep_machine(struct leat__m *m)
{
	int others = load_relaxed(&leat__sched.idle_ms), kept = leat__sched.procs + 2;
	int64_t end = sleep_end(m, others, kept); /* it is surplus, and ends then if it still is */
	struct leat__ready_list ready = {0};
	struct leat__p *p;
	int64_t due;

	if (end == 0) {
		m->ending = true;
		leat__unlock(&leat__sched.lock);
		leat__monitor_ring();
		return;
	}
	store_relaxed(&leat__sched.idle_ms, others + 1);
	store_relaxed(&m->wake, 0);
	m->idle_next = leat__sched.idle_m;
	leat__sched.idle_m = m;
	for (;;) {
		bool keeper = keep(m);
		int64_t until =
		    keeper ? leat__timers_keep_until(load_relaxed(&leat__sched.keeper_until)) : end;
		bool polls = leat__in_poller(m);

		leat__unlock(&leat__sched.lock);
		if (unlikely(polls))
			leat__netpoll_block(m, until, &ready);
		/* A policy's time is not the one that the kernel would wait for; it passes by being read. */
		while (!polls && load_acquire(&m->wake) == 0 &&
		       (until == INT64_MAX || leat__clock() < until))
			if (!keeper || !leat__policy)
				leat__os_wait(&m->wake, 0, until);

		leat__lock(&leat__sched.lock);
		stop_keeping(m);
		if (load_acquire(&m->wake) == 1)
			break; /* start_machine took m off the list and gave it a processor */
		store_relaxed(&m->wake, 0);
		if (!keeper && end != INT64_MAX && leat__os_now() >= end) {
			if (load_relaxed(&leat__sched.idle_ms) > kept) {
				leave_idle_list(m);
				m->ending = true;
				break;
			}
			end = INT64_MAX;
		}
		due = leat__timers_first();
		due = keeper ? leat__timers_keep_until(due) : leat__timers_look_at(due);
		if (!ready.n && due > leat__clock())
			continue;
		p = leat__free_take();
		if (p) {
			leave_idle_list(m);
			leat__acquire(m, p);
			break;
		}
		/* All processors are busy: put what is due where they find it. */
		leat__unlock(&leat__sched.lock);
		leat__netpoll_inject(m, &ready);
		leat__timers_run(m);
		leat__lock(&leat__sched.lock);
	}
	leat__unlock(&leat__sched.lock);
	leat__monitor_ring();
	leat__netpoll_inject(m, &ready);
}
