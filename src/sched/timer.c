/* SPDX-License-Identifier: MIT */
/*
 * Invariants (timers' lock)
 *  - heap[i].when >= heap[(i - 1) / 4].when; heap[t->index - 1].timer == t for every armed t.
 *  - leat__timers_next is heap[0].when, INT64_MAX when empty.
 *
 * After a fork the child's heap is empty, and t->index of what was in it is stale; so an index counts
 * only if t is found there.
 *
 * Each entry carries its instant beside the pointer, so sifting touches the array alone.  Four children
 * a node halve the depth, and lie on one cache line.
 *
 * Lock order: the timers' lock, then a channel's or the scheduler's.  A function that is called may
 * take those; nobody arms or stops a timer while holding one of them.
 */
#include "sched/timer.h"

#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/scheduler.h"

#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>

struct entry {
	int64_t when;
	struct leat__timer *timer;
};

static struct {
	uint32_t lock;
	struct entry *heap;
	uint32_t count, room;
} timers;

_Atomic int64_t leat__timers_next = INT64_MAX;

static void place(uint32_t i, struct entry e)
{
	timers.heap[i] = e;
	e.timer->index = i + 1;
}

static void sift_up(uint32_t i, struct entry e)
{
	while (i > 0 && timers.heap[(i - 1) / 4].when > e.when) {
		place(i, timers.heap[(i - 1) / 4]);
		i = (i - 1) / 4;
	}
	place(i, e);
}

static void sift_down(uint32_t i, struct entry e)
{
	for (;;) {
		uint32_t child = 4 * i + 1, end = child + 4, least = child;

		if (child >= timers.count)
			break;
		if (end > timers.count)
			end = timers.count;
		for (uint32_t c = child + 1; c < end; c++)
			if (timers.heap[c].when < timers.heap[least].when)
				least = c;
		if (timers.heap[least].when >= e.when)
			break;
		place(i, timers.heap[least]);
		i = least;
	}
	place(i, e);
}

static void publish_next(void)
{
	store_relaxed(&leat__timers_next, timers.count ? timers.heap[0].when : INT64_MAX);
}

/* Take entry i out. */
static void remove_at(uint32_t i)
{
	struct entry last = timers.heap[--timers.count];

	timers.heap[i].timer->index = 0;
	if (i == timers.count)
		return;
	if (i > 0 && timers.heap[(i - 1) / 4].when > last.when)
		sift_up(i, last);
	else
		sift_down(i, last);
}

static bool grow(void)
{
	uint32_t room = timers.room ? timers.room * 2 : 64;
	struct entry *heap;

	/* The lock is unknown to the thread sanitizer, realloc is not. */
	leat__hb_acquire(&timers);
	heap = realloc(timers.heap, room * sizeof *heap);
	leat__hb_release(&timers);

	if (!heap)
		return false;
	timers.heap = heap;
	timers.room = room;
	return true;
}

int leat__timer_add(struct leat__timer *t)
{
	bool first;

	leat__lock(&timers.lock);
	if (timers.count == timers.room && !grow()) {
		leat__unlock(&timers.lock);
		return -ENOMEM;
	}
	timers.count++;
	sift_up(timers.count - 1, (struct entry){t->when, t});
	first = t->index == 1;
	publish_next();
	leat__unlock(&timers.lock);
	if (first)
		leat__keeper_ring(t->when);
	return 0;
}

bool leat__timer_stop(struct leat__timer *t)
{
	bool armed;

	leat__lock(&timers.lock);
	armed = t->index != 0 && t->index <= timers.count && timers.heap[t->index - 1].timer == t;
	if (armed) {
		remove_at(t->index - 1);
		publish_next();
	}
	leat__unlock(&timers.lock);
	return armed;
}

void leat__timers_run(struct leat__m *m)
{
	int64_t now = leat__clock();

	if (load_relaxed(&leat__timers_next) > now)
		return;
	leat__lock(&timers.lock);
	while (timers.count && timers.heap[0].when <= now) {
		struct leat__timer *t = timers.heap[0].timer;

		remove_at(0);
		t->fire(m, t);
	}
	publish_next();
	leat__unlock(&timers.lock);
}

bool leat__timers_matter(void)
{
	bool matter = false;

	leat__lock(&timers.lock);
	for (uint32_t i = 0; i < timers.count && !matter; i++) {
		const struct leat__timer *t = timers.heap[i].timer;

		matter = t->when != INT64_MAX && (!t->awaited || t->awaited(t));
	}
	leat__unlock(&timers.lock);
	return matter;
}

void leat__timers_lock(void)
{
	leat__lock(&timers.lock);
}

void leat__timers_unlock(void)
{
	leat__unlock(&timers.lock);
}

void leat__timers_forget(void)
{
	timers.count = 0;
	publish_next();
}

int64_t leat__deadline(int64_t duration_ns)
{
	int64_t now = leat__clock(), at;

	if (duration_ns <= 0)
		return now;
	return __builtin_add_overflow(now, duration_ns, &at) ? INT64_MAX : at;
}

int64_t leat_now(void)
{
	return leat__clock();
}

/* --- sleep */

struct sleeper {
	struct leat__timer timer;
	struct leat__g *g;
};

static void sleep_over(struct leat__m *m, struct leat__timer *t)
{
	leat__ready(m, container_of(t, struct sleeper, timer)->g, false);
}

void leat_sleep(int64_t duration_ns)
{
	struct sleeper s = {.timer.fire = sleep_over};
	struct leat__m *m;
	int err;

	if (duration_ns <= 0)
		return;
	m = leat__enter();
	s.timer.when = leat__deadline(duration_ns);
	s.g = m->g;
	leat__park_as(m->g, LEAT__WAIT_SLEEP);
	err = leat__timer_add(&s.timer);
	if (unlikely(err)) {
		leat__park_as(m->g, LEAT__RUNNABLE);
		leat__leave(m);
		leat__panic_runtime("out of memory");
	}
	m = leat__park(m);
	leat__leave(m);
}
