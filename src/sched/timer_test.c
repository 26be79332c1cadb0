/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: timers fire once, in order, when they are due and not before; a stopped one does not; and the
 * published first instant is right after every step.
 *
 * Method: random additions, stops and passing of (virtual) time against a reference that is a plain
 * list.  No runtime is started: the heap needs none.
 */
#include "base/random.h"
#include "sched/policy.h"
#include "sched/timer.h"

#include "test.h"

enum { TIMERS = 500 };

struct watched {
	struct leat__timer timer;
	bool armed;
	int fired;
	bool awaited;
};

static struct watched timers[TIMERS];
static int64_t now = 1000, last;
static int due;

static int64_t virtual_now(void)
{
	return now;
}

static uint32_t choose_first(enum leat__choice what, uint32_t n)
{
	(void)what;
	(void)n;
	return 0;
}

static const struct leat__policy policy = {.choose = choose_first, .now = virtual_now};

static void fire(struct leat__m *m, struct leat__timer *t)
{
	struct watched *w = container_of(t, struct watched, timer);

	CHECK(m == NULL);
	CHECK(w->armed);
	CHECK(t->when <= now);
	CHECK(t->when >= last);
	CHECK_EQ(t->index, 0);
	last = t->when;
	w->armed = false;
	w->fired++;
	due--;
}

static bool awaited(const struct leat__timer *t)
{
	return container_of(t, struct watched, timer)->awaited;
}

static int64_t first(void)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < TIMERS; i++)
		if (timers[i].armed && timers[i].timer.when < least)
			least = timers[i].timer.when;
	return least;
}

static void add(struct watched *w, int64_t when)
{
	w->timer.when = when;
	w->timer.fire = fire;
	w->armed = true;
	CHECK_EQ(leat__timer_add(&w->timer), 0);
}

static void run(void)
{
	due = 0;
	last = 0;
	for (int i = 0; i < TIMERS; i++)
		due += timers[i].armed && timers[i].timer.when <= now;
	leat__timers_run(NULL);
	CHECK_EQ(due, 0);
}

TEST(heap_agrees_with_a_list)
{
	uint64_t random = 12345;

	leat__policy = &policy;
	for (int step = 0; step < test_count(200000); step++) {
		struct watched *w = &timers[leat__random_next(&random) % TIMERS];
		uint32_t dice = leat__random_next(&random) % 100;

		if (dice < 60 && !w->armed) {
			/* Few distinct instants, so that many are equal; some past. */
			add(w, now - 5 + leat__random_next(&random) % 200);
		} else if (dice < 80) {
			CHECK_EQ(leat__timer_stop(&w->timer), w->armed);
			w->armed = false;
			CHECK_EQ(w->timer.index, 0);
		} else if (dice < 90) {
			now += leat__random_next(&random) % 20;
			run();
		}
		CHECK_EQ(load_relaxed(&leat__timers_next), first());
	}
	now += 1000;
	run();
	CHECK_EQ(load_relaxed(&leat__timers_next), INT64_MAX);
}

TEST(timers_matter_when_somebody_waits)
{
	struct watched *w = &timers[0], *never = &timers[1];

	leat__policy = &policy;
	CHECK(!leat__timers_matter());
	add(w, now + 10);
	CHECK(leat__timers_matter());
	w->timer.awaited = awaited;
	w->awaited = false;
	CHECK(!leat__timers_matter());
	w->awaited = true;
	CHECK(leat__timers_matter());
	CHECK(leat__timer_stop(&w->timer));
	add(never, INT64_MAX);
	CHECK(!leat__timers_matter());
	CHECK(leat__timer_stop(&never->timer));
}

TEST(deadline_does_not_overflow)
{
	leat__policy = &policy;
	CHECK_EQ(leat__deadline(5), now + 5);
	CHECK_EQ(leat__deadline(0), now);
	CHECK_EQ(leat__deadline(-7), now);
	CHECK_EQ(leat__deadline(INT64_MAX), INT64_MAX);
	CHECK_EQ(leat__deadline(INT64_MAX - now), INT64_MAX);
	CHECK_EQ(leat__deadline(INT64_MAX - now - 1), INT64_MAX - 1);
}

TEST_MAIN
