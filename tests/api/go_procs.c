/* SPDX-License-Identifier: MIT */
/*
 * Goal: processors: their number changes while goroutines run and nothing is lost; more processors
 * than CPUs work; an idle one takes work as soon as there is some.
 * Method: counts that must move on after each change; token rings that need every member to run.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

TEST(line_13_set_returns_the_number_before)
{
	int procs = leat_procs(0);

	CHECK(procs >= 1);
	CHECK_EQ(leat_procs(3), procs);
	CHECK_EQ(leat_procs(0), 3);
	CHECK_EQ(leat_procs(-5), 3);
	CHECK_EQ(leat_procs(1), 3);
	CHECK_EQ(leat_procs(1024), 1);
	CHECK_EQ(leat_procs(5000), 1024);
	CHECK_EQ(leat_procs(procs), 1024);
	CHECK_EQ(leat_procs(0), procs);
}

static atomic_bool stop;

struct counted {
	atomic_long *turns;
	leat_waitgroup *wg;
};

static void yielder(struct counted *a)
{
	while (!atomic_load(&stop)) {
		atomic_fetch_add(a->turns, 1);
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

static void ticker(struct counted *a)
{
	while (!atomic_load(&stop)) {
		atomic_fetch_add(a->turns, 1);
		leat_sleep(200 * LEAT_MICROSECOND);
	}
	leat_waitgroup_done(a->wg);
}

static void spawned(struct counted *a)
{
	atomic_fetch_add(a->turns, 1);
	leat_waitgroup_done(a->wg);
}

static void spawner(struct counted *a)
{
	while (!atomic_load(&stop)) {
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 5);
		for (int i = 0; i < 5; i++)
			go_as(counted, spawned, a->turns, &wg);
		leat_waitgroup_wait(&wg);
	}
	leat_waitgroup_done(a->wg);
}

enum { KINDS = 3, EACH = 15, ALL = KINDS * EACH };

static atomic_long turns[ALL];

static bool all_moved(const long *before)
{
	for (int i = 0; i < ALL; i++)
		if (atomic_load(&turns[i]) == before[i])
			return false;
	return true;
}

TEST(line_13_growing_and_shrinking_loses_no_goroutine_and_no_timer)
{
	static const int numbers[] = {1, 8, 2, 16, 1, 3, 64, 4, 1, 2};
	int procs = leat_procs(0), rounds = test_count(500);
	leat_waitgroup wg = {0};

	stop = false;
	leat_waitgroup_add(&wg, ALL);
	for (int i = 0; i < EACH; i++) {
		go_as(counted, yielder, &turns[3 * i], &wg);
		go_as(counted, ticker, &turns[3 * i + 1], &wg);
		go_as(counted, spawner, &turns[3 * i + 2], &wg);
	}
	for (int r = 0; r < rounds; r++) {
		leat_procs(numbers[r % 10]);
		leat_yield();
		if (r % 10 == 9) {
			long before[ALL];

			for (int i = 0; i < ALL; i++)
				before[i] = atomic_load(&turns[i]);
			test_until(all_moved(before));
		}
	}
	stop = true;
	leat_waitgroup_wait(&wg);
	leat_procs(procs);
	test_goroutines(1);
}

struct changer {
	leat_waitgroup *wg;
	unsigned seed;
};

static void changer(struct changer *a)
{
	for (int i = 0; i < 50; i++) {
		int was = leat_procs((int)(rand_r(&a->seed) % 12) + 1);

		CHECK(was >= 1 && was <= 1024);
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

static void *change_outside(void *arg)
{
	changer(arg);
	return NULL;
}

TEST(line_13_several_goroutines_and_a_thread_change_it_at_once)
{
	int procs = leat_procs(0);
	leat_waitgroup wg = {0};
	struct changer outside = {&wg, 99};
	pthread_t thread;

	leat_waitgroup_add(&wg, 5);
	for (unsigned i = 0; i < 4; i++)
		go(changer, &wg, i);
	CHECK_EQ(pthread_create(&thread, NULL, change_outside, &outside), 0);
	leat_waitgroup_wait(&wg);
	pthread_join(thread, NULL);
	leat_procs(procs);
	CHECK_EQ(leat_procs(0), procs);
	test_goroutines(1);
}

struct token {
	atomic_int *at;
	int me, members, laps;
	leat_waitgroup *wg;
};

/* Spins without a call into leat, so each member needs a thread that runs it. */
static void token(struct token *a)
{
	for (int i = 0; i < a->laps; i++) {
		while (atomic_load_explicit(a->at, memory_order_acquire) != a->me)
			;
		atomic_store_explicit(a->at, (a->me + 1) % a->members, memory_order_release);
	}
	leat_waitgroup_done(a->wg);
}

static void hand_round(int procs, int members, int laps)
{
	int before = leat_procs(procs);
	atomic_int at = 0;
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, members);
	for (int i = 0; i < members; i++)
		go(token, &at, i, members, laps, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(at, 0);
	leat_procs(before);
}

TEST(line_16_a_token_goes_round_among_as_many_spinners_as_processors)
{
	hand_round(2, 2, 20);
	hand_round(4, 4, 5);
	hand_round(8, 8, 3);
}

/* Here the monitor has to help: the members are more than may run. */
TEST(line_16_a_token_goes_round_among_more_spinners_than_processors)
{
	hand_round(1, 2, 3);
	hand_round(2, 5, 2);
}

struct once {
	atomic_int *runs;
	atomic_int *total;
};

static void once(struct once *a)
{
	atomic_fetch_add(a->runs, 1);
	atomic_fetch_add(a->total, 1);
}

/*
 * The starter spins until all have run, so others must have stolen them.  The monitor could take
 * its processor away as well, but only after 10 ms: the first must run before, in the best of some
 * rounds.
 */
TEST(line_18_what_one_processor_started_is_stolen_and_runs_exactly_once)
{
	enum { N = 500 };
	int procs = leat_procs(4);
	int64_t best = INT64_MAX;

	for (int round = 0; round < 50; round++) {
		static atomic_int runs[N];
		atomic_int total = 0;
		int64_t begin;

		for (int i = 0; i < N; i++)
			runs[i] = 0;
		begin = leat_now();
		for (int i = 0; i < N; i++)
			go(once, &runs[i], &total);
		while (atomic_load(&total) < 10)
			;
		if (leat_now() - begin < best)
			best = leat_now() - begin;
		while (atomic_load(&total) < N)
			;
		for (int i = 0; i < N; i++)
			CHECK_EQ(runs[i], 1);
	}
	fprintf(stderr, "\tbest %" PRId64 " us\n", best / 1000);
#ifndef TEST_SANITIZED
	CHECK(best < 5 * LEAT_MILLISECOND);
#endif
	leat_procs(procs);
	test_goroutines(1);
}

struct steal_started {
	atomic_bool *release;
	atomic_int *runs;
	atomic_int *total;
};

/* Started goroutines, made runnable again by yielding, are stolen like new ones. */
static void steal_started(struct steal_started *a)
{
	while (!atomic_load(a->release))
		leat_yield();
	atomic_fetch_add(a->runs, 1);
	atomic_fetch_add(a->total, 1);
}

TEST(line_18_started_goroutines_run_exactly_once_too)
{
	enum { N = 500 };
	int procs = leat_procs(4);

	for (int round = 0; round < 10; round++) {
		static atomic_int runs[N];
		atomic_int total = 0;
		atomic_bool release = false;

		for (int i = 0; i < N; i++)
			runs[i] = 0;
		for (int i = 0; i < N; i++)
			go(steal_started, &release, &runs[i], &total);
		leat_yield();
		atomic_store(&release, true);
		while (atomic_load(&total) < N)
			;
		for (int i = 0; i < N; i++)
			CHECK_EQ(runs[i], 1);
		test_goroutines(1);
	}
	leat_procs(procs);
}

struct note_start {
	int64_t *at;
	atomic_bool *ran;
};

static void note_start(struct note_start *a)
{
	*a->at = leat_now();
	atomic_store(a->ran, true);
}

/* With an idle processor a new goroutine starts though its starter goes on computing. */
TEST(line_17_an_idle_processor_takes_new_work_at_once)
{
	int procs = leat_procs(2);
	int64_t best = INT64_MAX;

	for (int round = 0; round < 30; round++) {
		int64_t at = 0, begin;
		atomic_bool ran = false;

		/* Let the other processor fall asleep. */
		leat_sleep(2 * LEAT_MILLISECOND);
		begin = leat_now();
		go(note_start, &at, &ran);
		while (!atomic_load(&ran))
			;
		if (at - begin < best)
			best = at - begin;
	}
	fprintf(stderr, "\tbest %" PRId64 " us\n", best / 1000);
	CHECK(best < 5 * LEAT_MILLISECOND);
	leat_procs(procs);
}

static atomic_int inside, most;

struct at_once {
	leat_waitgroup *wg;
};

static void at_once(struct at_once *a)
{
	for (int i = 0; i < 50; i++) {
		int now = atomic_fetch_add(&inside, 1) + 1, seen = atomic_load(&most);

		while (now > seen && !atomic_compare_exchange_weak(&most, &seen, now))
			;
		for (volatile int k = 0; k < 500; k++)
			;
		atomic_fetch_sub(&inside, 1);
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

/* One processor runs one goroutine at a time, as long as none of them is retaken. */
TEST(line_12_no_more_run_at_once_than_processors)
{
	int procs = leat_procs(1), best = INT32_MAX;

	for (int round = 0; round < 20 && best > 1; round++) {
		leat_waitgroup wg = {0};

		most = 0;
		leat_waitgroup_add(&wg, 20);
		for (int i = 0; i < 20; i++)
			go(at_once, &wg);
		leat_waitgroup_wait(&wg);
		if (most < best)
			best = most;
	}
	CHECK_EQ(best, 1);
	leat_procs(procs);
}

TEST_MAIN
