/* SPDX-License-Identifier: MIT */
/*
 * Goal: sleeping: never too short, in the order of deadlines, at any length, by many at once.
 * Method: leat_now around each sleep; upper bounds only where a wrong order of magnitude would
 * show.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

TEST(line_151_now_goes_forwards)
{
	int64_t last = leat_now();

	for (int i = 0; i < 100000; i++) {
		int64_t now = leat_now();

		CHECK(now >= last);
		last = now;
	}
}

TEST(line_33_no_time_or_less_returns_at_once)
{
	int64_t begin = leat_now();

	for (int i = 0; i < 1000; i++) {
		leat_sleep(0);
		leat_sleep(-1);
		leat_sleep(-LEAT_HOUR);
		leat_sleep(INT64_MIN);
	}
	CHECK(leat_now() - begin < 10 * LEAT_SECOND);
}

TEST(line_151_never_early)
{
	static const int64_t lengths[] = {1,      10,     999,     1000,    12345,
	                                  100000, 999999, 1000001, 5000000, 20000000};

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
			int64_t begin = leat_now();

			leat_sleep(lengths[i]);
			CHECK(leat_now() - begin >= lengths[i]);
		}
	}
}

struct sleeper {
	int64_t ns;
	leat_waitgroup *wg;
};

static void sleeper(struct sleeper *a)
{
	int64_t begin = leat_now();

	leat_sleep(a->ns);
	CHECK(leat_now() - begin >= a->ns);
	leat_waitgroup_done(a->wg);
}

TEST(line_153_10000_sleepers)
{
	int n = test_count(100000);
	leat_waitgroup wg = {0};
	int64_t begin = leat_now();

	leat_waitgroup_add(&wg, n);
	for (int i = 0; i < n; i++)
		go(sleeper, (i * INT64_C(7919) % 50 + 1) * LEAT_MILLISECOND, &wg);
	leat_waitgroup_wait(&wg);
	/* In a row they need minutes. */
	CHECK(leat_now() - begin < 20 * LEAT_SECOND);
	test_goroutines(1);
}

struct in_order {
	int64_t at;
	int rank;
	int *log;
	atomic_int *next;
	leat_waitgroup *wg;
};

static void in_order(struct in_order *a)
{
	leat_sleep(a->at - leat_now());
	a->log[atomic_fetch_add(a->next, 1)] = a->rank;
	leat_waitgroup_done(a->wg);
}

/* At one processor what wakes first runs first; deadlines lie apart enough to be told apart. */
TEST(line_151_the_earlier_deadline_wakes_first)
{
	enum { N = 20 };
	int procs = leat_procs(1), right = 0;

	for (int round = 0; round < 5; round++) {
		int log[N];
		atomic_int next = 0;
		leat_waitgroup wg = {0};
		int64_t begin = leat_now() + 5 * LEAT_MILLISECOND;
		bool sorted = true;

		leat_waitgroup_add(&wg, N);
		for (int i = 0; i < N; i++) {
			int rank = i * 7 % N;

			go(in_order, begin + rank * LEAT_MILLISECOND, rank, log, &next, &wg);
		}
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < N; i++)
			sorted &= log[i] == i;
		right += sorted;
	}
	CHECK(right >= 1);
	leat_procs(procs);
}

struct for_ever {
	int64_t ns;
	atomic_int *woke;
};

static void for_ever(struct for_ever *a)
{
	leat_sleep(a->ns);
	atomic_fetch_add(a->woke, 1);
}

static atomic_int woke_too_soon;

TEST(line_33_line_152_very_long_sleeps_do_not_overflow)
{
	static const int64_t lengths[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX / 2, LEAT_FOREVER,
	                                  1000000 * LEAT_HOUR};

	for (int i = 0; i < 5; i++)
		go(for_ever, lengths[i], &woke_too_soon);
	test_until(leat_num_parked() >= 5);
	leat_sleep(20 * LEAT_MILLISECOND);
	CHECK_EQ(woke_too_soon, 0);
}

/* A new, earlier deadline must interrupt the wait for a later one. */
TEST(line_153_a_short_sleep_beside_a_long_one)
{
	atomic_int woke = 0;
	int64_t begin = leat_now();

	go(for_ever, LEAT_HOUR, &woke);
	leat_sleep(2 * LEAT_MILLISECOND);
	for (int i = 0; i < 10; i++)
		leat_sleep(LEAT_MILLISECOND);
	CHECK(leat_now() - begin < 20 * LEAT_SECOND);
	CHECK_EQ(woke, 0);
}

/* Timers of a processor that is taken away or idle must fire all the same. */
TEST(line_155_timers_fire_while_processors_come_and_go)
{
	int procs = leat_procs(0);
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 200);
	leat_procs(8);
	for (int i = 0; i < 200; i++)
		go(sleeper, (i % 20 + 1) * LEAT_MILLISECOND, &wg);
	leat_yield();
	leat_procs(1);
	leat_sleep(5 * LEAT_MILLISECOND);
	leat_procs(3);
	leat_waitgroup_wait(&wg);
	leat_procs(procs);
}

static void *sleep_in_thread(void *arg)
{
	for (int i = 0; i < 10; i++) {
		struct sleeper a = {i * 300 * LEAT_MICROSECOND, arg};

		sleeper(&a);
	}
	leat_sleep(0);
	leat_sleep(-5);
	return NULL;
}

TEST(plain_threads_sleep_too)
{
	leat_waitgroup wg = {0};
	pthread_t threads[4];

	leat_waitgroup_add(&wg, 40);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, sleep_in_thread, &wg), 0);
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

TEST_MAIN
