/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced */
/*
 * Goal: timers fire once, in order, when they are due and not before; a stopped one does not; the
 * published first instant is the first one's, or, with thousands, no later; kept timers never fail to be armed; and a queue
 * that has become small gives its memory back, without losing what is left.
 *
 * Method: random additions, stops and passing of (virtual) time against a reference that is a plain
 * list; a few, which are in a heap, and thousands, most of which are in the calendar.  No runtime is started: all
 * is in the queue of those without a processor.
 */
#include "base/random.h"
#include "sched/policy.h"
#include "sched/timer.h"

#include "test.h"

enum { FEW = 500, TIMERS = 6000 };

struct watched {
	struct leat__timer timer;
	bool armed;
	int fired;
};

static struct watched timers[TIMERS];
static int used; /* of these */
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

static bool armed(const struct watched *w)
{
	const struct leat__timer *t = &w->timer;

	return t->slot && leat__timer_queue_armed(&t->home->queue, t->slot);
}

static void fire(struct leat__m *m, struct leat__timer *t)
{
	struct watched *w = container_of(t, struct watched, timer);

	CHECK(m == NULL);
	CHECK(w->armed);
	CHECK(t->when <= now);
	CHECK(t->when >= last);
	CHECK(!armed(w));
	CHECK(t->kept || t->slot == 0);
	last = t->when;
	w->armed = false;
	w->fired++;
	due--;
}

static int64_t first(void)
{
	int64_t least = INT64_MAX;

	for (int i = 0; i < used; i++)
		if (timers[i].armed && timers[i].timer.when < least)
			least = timers[i].timer.when;
	return least;
}

static void keep(struct leat__timer *t)
{
	CHECK_EQ(leat__timer_keep(t), 0);
	leat__timer_unlock(t);
}

static void arm(struct watched *w, int64_t when)
{
	if (w->timer.kept) {
		leat__timer_lock(&w->timer);
		CHECK_EQ(leat__timer_arm(&w->timer, when), w->armed);
		leat__timer_unlock(&w->timer);
	} else {
		CHECK(!w->armed);
		w->timer.when = when;
		w->timer.fire = fire;
		CHECK_EQ(leat__timer_add(&w->timer), 0);
	}
	w->armed = when != INT64_MAX;
	CHECK_EQ(armed(w), w->armed);
}

static void stop(struct watched *w)
{
	if (w->timer.kept) {
		arm(w, INT64_MAX);
	} else {
		CHECK_EQ(leat__timer_stop(&w->timer), w->armed);
		CHECK_EQ(w->timer.slot, 0);
	}
	w->armed = false;
}

/* All that are due: a call fires one batch of each queue. */
static void run_due(void)
{
	do
		leat__timers_run(NULL);
	while (leat__timers_first() <= leat__clock());
}

static void run(void)
{
	due = 0;
	last = 0;
	for (int i = 0; i < used; i++)
		due += timers[i].armed && timers[i].timer.when <= now;
	run_due();
	CHECK_EQ(due, 0);
	CHECK(leat__timers_first() > now);
}

/* Every other one is kept. */
static struct leat__timer_queue *begin(int n)
{
	struct leat__timer home;

	used = n;
	leat__policy = &policy;
	for (int i = 0; i < used; i++) {
		timers[i] = (struct watched){.timer.fire = fire};
		if (i % 2)
			keep(&timers[i].timer);
	}
	keep(&home);
	leat__timer_drop(&home);
	return &home.home->queue;
}

static void end(struct leat__timer_queue *h)
{
	for (int i = 0; i < used; i++) {
		if (timers[i].timer.kept)
			leat__timer_drop(&timers[i].timer);
		else
			stop(&timers[i]);
	}
	CHECK_EQ(h->count, 0);
	CHECK_EQ(h->claimed, 0);
	CHECK_EQ(leat__timers_first(), INT64_MAX);
}

TEST(line_151_heap_agrees_with_a_list)
{
	struct leat__timer_queue *h = begin(FEW);
	uint64_t random = 12345;

	for (int step = 0; step < test_count(200000); step++) {
		struct watched *w = &timers[leat__random_next(&random) % FEW];
		uint32_t dice = leat__random_next(&random) % 100;

		if (dice < 60 && (!w->armed || w->timer.kept)) {
			/* Few distinct instants, so that many are equal; some past. */
			arm(w, now - 5 + leat__random_next(&random) % 200);
		} else if (dice < 80) {
			stop(w);
		} else if (dice < 90) {
			now += leat__random_next(&random) % 20;
			run();
		}
		CHECK_EQ(leat__timers_first(), first());
	}
	now += 1000;
	run();
	end(h);
}

/* From microseconds to minutes, so that one day of the calendar has those of many years. */
static int64_t far_span(uint64_t *random)
{
	int64_t most = INT64_C(1000) << (leat__random_next(random) % 28);

	return (int64_t)(leat__random_next(random) % (uint64_t)most);
}

/* Thousands are armed: the first of them while all are in the heap. */
static struct leat__timer_queue *begin_armed(uint64_t random)
{
	struct leat__timer_queue *h = begin(0);

	for (; used < TIMERS; used++) {
		struct watched *w = &timers[used];

		*w = (struct watched){.timer.fire = fire};
		if (used % 2)
			keep(&w->timer);
		arm(w, now + far_span(&random));
	}
	return h;
}

TEST(line_151_calendar_agrees_with_a_list)
{
	struct leat__timer_queue *h = begin_armed(54321);
	uint64_t random = 12345;
	uint32_t noted = 0;

	for (int step = 0; step < test_count(40000); step++) {
		struct watched *w = &timers[leat__random_next(&random) % TIMERS];
		uint32_t dice = leat__random_next(&random) % 100;

		if (dice < 70 && (!w->armed || w->timer.kept)) {
			arm(w, now - 5 + far_span(&random));
		} else if (dice < 75) {
			stop(w);
		} else if (dice < 80) {
			now += far_span(&random) / 16;
			run();
		} else if (dice < 81) {
			/* It may be told too early, but comes when it comes. */
			int64_t earliest = first();

			CHECK(leat__timers_first() <= earliest);
			CHECK_EQ(earliest == INT64_MAX, leat__timers_first() == INT64_MAX);
			if (earliest == INT64_MAX)
				continue;
			now = earliest - 1;
			run();
			now = earliest;
			run();
		}
		noted += h->count - h->near;
	}
	CHECK(noted > 0);
	now += INT64_C(1) << 40;
	run();
	end(h);
}

/* Thousands within a few days, so that most of them are today's once: they fire, are stopped, and are armed for the
   rest of today, while there is room for all of them and while there must be more of it. */
TEST(line_151_today_agrees_with_a_list)
{
	struct leat__timer_queue *h = begin(0);
	uint64_t random = 4711;
	uint32_t stopped = 0, fired = 0, moved = 0;

	for (int step = 0; step < 40000; step++) {
		bool is_new = used < TIMERS && step % 4 == 0;
		struct watched *w = &timers[is_new ? used++ : (int)(leat__random_next(&random) % used)];
		uint32_t dice = leat__random_next(&random) % 100, room = h->room;
		uint32_t left = h->today.end - h->today.first;

		if (is_new) {
			*w = (struct watched){.timer.fire = fire};
			if (used % 4)
				keep(&w->timer);
		}
		if (dice < 75 && (!w->armed || w->timer.kept)) {
			/* Of many instants two are equal. */
			arm(w, now + leat__random_next(&random) % 8000 * 500);
			moved += left > 0 && h->room > room;
		} else if (dice < 80) {
			uint32_t where = w->armed ? h->place[w->timer.slot] : 0;

			stopped += !(where & LEAT__PLACE_NOTED) && (where & LEAT__PLACE_TODAY);
			stop(w);
		} else {
			now += leat__random_next(&random) % 6000;
			run();
			fired += h->today.end - h->today.first < left;
		}
		CHECK(leat__timers_first() <= first());
		CHECK_EQ(first() == INT64_MAX, leat__timers_first() == INT64_MAX);
	}
	CHECK(stopped > 0 && fired > 0 && moved > 0);
	now += 10000000;
	run();
	end(h);
}

/* A day of n timers, of which one is stopped. */
static void check_day(struct leat__timer_queue *h, int n, int stopped)
{
	int64_t begins = (now + 5000000) & ~(int64_t)0xfffff, earliest = begins + (stopped == 0);

	for (int i = 0; i < n; i++)
		arm(&timers[i], begins + i);
	CHECK(h->near < h->count);
	stop(&timers[stopped]);
	/* Pages have seven. */
	CHECK(leat__timers_first() <= earliest);
	if (n <= 4 * 7)
		CHECK_EQ(leat__timers_first(), earliest);
	for (int i = 0; i < n; i++) {
		now = begins + i;
		run();
		CHECK(!timers[i].armed);
		CHECK(i + 1 == n || i + 1 == stopped || timers[i + 1].armed);
	}
}

TEST(line_152_one_of_a_day_is_stopped)
{
	struct leat__timer_queue *h = begin(TIMERS);

	for (int n = 2; n < 100; n += n < 9 ? 1 : 7)
		for (int stopped = 0; stopped < n; stopped++)
			check_day(h, n, stopped);
	for (int i = 0; i < 100; i++)
		arm(&timers[i], now + 5000000 + i);
	for (int i = 0; i < 100; i++) {
		CHECK(leat__timers_first() <= now + 5000000 + i);
		stop(&timers[i]);
	}
	CHECK_EQ(leat__timers_first(), INT64_MAX);
	CHECK(h->far.used < 20);
	end(h);
}

/* The last of thousands that are stopped is the one that makes the queue small again. */
TEST(line_152_all_but_a_few_of_a_day_are_stopped)
{
	for (int left = 150; left < 300; left++) {
		struct leat__timer_queue *h = begin(0);
		int64_t begins = (now + 5000000) & ~(int64_t)0xfffff;

		for (; used < TIMERS; used++) {
			timers[used] = (struct watched){.timer.fire = fire};
			arm(&timers[used], begins + used);
		}
		for (int i = 0; i < TIMERS - left; i++)
			stop(&timers[i]);
		now = begins + TIMERS - left - 1;
		run();
		CHECK_EQ(leat__timers_first(), now + 1);
		now += left;
		run();
		end(h);
	}
}

static int dropped;

static void count_dropped(struct leat__timer *t)
{
	CHECK(t->kept);
	dropped++;
}

/* As in the child of a fork. */
TEST(forgotten_timers_do_not_fire_and_kept_ones_are_as_good_as_new)
{
	struct leat__timer_queue *h = begin_armed(999);
	uint64_t random = 999;

	for (int i = 0; i < 1000; i++)
		if (timers[i].timer.kept || !timers[i].armed)
			arm(&timers[i], ((now >> LEAT__DAY_BITS) + 1) << LEAT__DAY_BITS | i);
	now = ((now >> LEAT__DAY_BITS) + 1) << LEAT__DAY_BITS | 100;
	run();
	CHECK(h->today.first < h->today.end);
	CHECK(h->near < h->count);
	leat__on_timer_dropped = count_dropped;
	dropped = 0;
	leat__timers_forget();
	leat__on_timer_dropped = NULL;
	CHECK_EQ(dropped, TIMERS / 2);
	CHECK_EQ(h->count, 0);
	CHECK_EQ(leat__timers_first(), INT64_MAX);
	for (int i = 0; i < TIMERS; i++)
		timers[i].armed = false;
	now += INT64_C(1) << 40;
	run();
	for (int i = 0; i < TIMERS; i++) {
		if (!timers[i].timer.kept)
			CHECK(!leat__timer_stop(&timers[i].timer));
		timers[i].timer.slot = timers[i].timer.kept ? timers[i].timer.slot : 0;
		arm(&timers[i], now + far_span(&random));
	}
	now += INT64_C(1) << 40;
	run();
	end(h);
}

TEST(line_152_a_timer_for_the_end_of_time_is_in_no_queue)
{
	struct leat__timer_queue *h = begin(FEW);

	for (int i = 0; i < used; i++)
		arm(&timers[i], INT64_MAX);
	CHECK_EQ(h->count, 0);
	CHECK_EQ(leat__timers_first(), INT64_MAX);
	end(h);
}

/* One in 50 is left of very many, at whatever slot; then these fire.  Some may have fired before. */
static void check_memory_goes_back(int n, int64_t passes, bool sorted)
{
	enum { MOST = 100000, LEFT = 50 };
	static struct watched many[MOST];
	uint32_t most, kept = 0, plain = 0;
	struct leat__timer_queue *h;
	int64_t earliest = INT64_MAX;

	leat__policy = &policy;
	last = 0;
	for (int i = 0; i < n; i++) {
		many[i] = (struct watched){.timer.fire = fire};
		if (i % (2 * LEFT) == 0)
			keep(&many[i].timer);
		arm(&many[i], now + 1 + (int64_t)i * 7919 % n);
	}
	h = &many[0].timer.home->queue;
	most = h->room;
	CHECK_EQ(h->count, n);
	now += passes;
	run_due();
	CHECK_EQ(h->count, n - passes);
	CHECK_EQ(sorted, h->today.first < h->today.end);
	for (int i = 0; i < n; i++)
		if (i % LEFT)
			stop(&many[i]);
	for (int i = 0; i < n; i += LEFT) {
		kept += many[i].armed && many[i].timer.kept;
		plain += many[i].armed && !many[i].timer.kept;
		if (many[i].armed && many[i].timer.when < earliest)
			earliest = many[i].timer.when;
	}
	CHECK_EQ(h->count, kept + plain);
	CHECK_EQ(h->claimed, n / LEFT / 2 + plain);
	CHECK_EQ(leat__timers_first(), earliest);
	CHECK(h->room <= most / 4);
	CHECK(h->room >= h->claimed);
	now += n / 2 - passes;
	last = 0;
	run_due();
	now += n / 2 + 1;
	run_due();
	for (int i = 0; i < n; i += LEFT)
		CHECK_EQ(many[i].fired, 1);
	CHECK_EQ(h->count, 0);
	for (int i = 0; i < n; i += 2 * LEFT)
		leat__timer_drop(&many[i].timer);
	CHECK_EQ(h->claimed, 0);
	CHECK(h->room < 1000);
}

TEST(line_147_memory_goes_back_and_nothing_is_lost)
{
	check_memory_goes_back(100000, 0, false);
	check_memory_goes_back(50000, 5000, true);
	check_memory_goes_back(100000, 10000, false); /* too many to be sorted */
}

enum { REST = 100000 }; /* ns, of dense timers */

static int any_fired;
static int64_t fired_at; /* just after the last batch */

static void fire_any(struct leat__m *m, struct leat__timer *t)
{
	(void)m;
	(void)t;
	any_fired++;
}

/* Arm so many for now, and fire them; returns some us after it began, by the real clock. */
static void fire_real(int n, int64_t us)
{
	static struct leat__timer many[60];
	int64_t begun = leat__clock();

	any_fired = 0;
	for (int i = 0; i < n; i++) {
		many[i] = (struct leat__timer){.fire = fire_any, .when = begun};
		CHECK_EQ(leat__timer_add(&many[i]), 0);
	}
	run_due();
	fired_at = leat__clock();
	CHECK_EQ(any_fired, n); /* held or not: who does look, fires */
	while (leat__clock() < begun + us * 1000)
		;
}

TEST(dense_timers_wait_for_a_batch_and_sparse_ones_do_not)
{
	int64_t held = 0;

	leat__policy = NULL;
	/* Where the machine took this thread's CPU away meanwhile they were not dense. */
	for (int i = 0; i < 10000 && held <= fired_at; i++) {
		fire_real(20, 200);
		held = leat__timers_keep_until(fired_at);
	}
	CHECK(held > fired_at);
	CHECK(held <= fired_at + REST);
	CHECK_EQ(leat__timers_keep_until(held - 1), held);
	CHECK_EQ(leat__timers_keep_until(held + 1), held + 1);
	CHECK_EQ(leat__timers_look_at(held), held + REST);
	CHECK_EQ(leat__timers_look_at(INT64_MAX), INT64_MAX);
	/* Whoever else goes on firing, none waits longer than that. */
	CHECK_EQ(leat__timers_keep_until(held - REST), held);
	CHECK_EQ(leat__timers_keep_until(held - REST - 1), held - 1);
	CHECK_EQ(leat__timers_look_at(held - REST - 1), held + REST - 1);
	/* The first few may end a dense time. */
	fire_real(1, 200);
	fire_real(1, 200);
	for (int i = 0; i < 20; i++) {
		fire_real(1, 200);
		CHECK_EQ(leat__timers_keep_until(fired_at), fired_at);
	}
	CHECK(!leat__timers_dense());
}

TEST(dense_timers_are_so_by_how_many_they_are_in_what_time)
{
	bool undisturbed = false;

	leat__policy = NULL;
	for (int i = 0; i < 10000 && !undisturbed; i++) {
		int64_t begun, ended, last_began;

		fire_real(40, 200);
		begun = leat__clock();
		fire_real(40, 560);
		ended = fired_at;
		last_began = leat__clock();
		fire_real(60, 0);
		undisturbed =
		    ended - begun < REST && last_began - ended > 440000 && fired_at - begun < 700000;
		if (undisturbed)
			CHECK(leat__timers_keep_until(fired_at) > fired_at);
	}
	CHECK(undisturbed);
	for (int i = 0; i < 20; i++) {
		fire_real(1, 1200);
		fire_real(40, 0);
		CHECK(!leat__timers_dense());
	}
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
