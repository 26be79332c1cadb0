/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_waitgroup releases all its waiters when, and not before, its counter reaches 0, and
 * may then be used again.
 * Method: plain variables written before done and read after wait; waiters observably parked.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

TEST(line_95_waiting_at_zero_returns_at_once)
{
	static leat_waitgroup in_static_memory;
	leat_waitgroup wg = {0};

	for (int i = 0; i < 100; i++) {
		leat_waitgroup_wait(&wg);
		leat_waitgroup_wait(&in_static_memory);
		leat_waitgroup_add(&wg, 0);
		leat_waitgroup_wait(&wg);
		leat_waitgroup_add(&wg, 5);
		leat_waitgroup_add(&wg, -5);
		leat_waitgroup_wait(&wg);
		leat_waitgroup_add(&wg, 1);
		leat_waitgroup_done(&wg);
	}
}

struct waiter {
	leat_waitgroup *wg;
	const int *written;
	atomic_int *released;
	int want;
};

static void waiter(struct waiter *a)
{
	leat_waitgroup_wait(a->wg);
	CHECK_EQ(*a->written, a->want);
	atomic_fetch_add(a->released, 1);
}

static void *wait_in_thread(void *arg)
{
	waiter(arg);
	return NULL;
}

TEST(line_95_many_waiters_are_released_together_and_it_is_reusable)
{
	enum { THREADS = 4 };
	int n = test_count(10000);
	leat_waitgroup wg = {0};
	atomic_int released = 0;
	int written = 0;

	for (int round = 1; round <= 5; round++) {
		struct waiter args = {&wg, &written, &released, round};
		pthread_t threads[THREADS];

		released = 0;
		leat_waitgroup_add(&wg, 2);
		for (int i = 0; i < n; i++)
			go(waiter, &wg, &written, &released, round);
		for (int i = 0; i < THREADS; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, wait_in_thread, &args), 0);
		test_parked(n + THREADS);
		leat_waitgroup_done(&wg);
		leat_yield();
		CHECK_EQ(released, 0);
		written = round;
		leat_waitgroup_done(&wg);
		test_until(atomic_load(&released) == n + THREADS);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		leat_waitgroup_wait(&wg);
	}
	test_goroutines(1);
}

struct negative {
	int add, then;
};

static void go_below(void *arg)
{
	struct negative *n = arg;
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, n->add);
	leat_waitgroup_add(&wg, n->then);
}

static void done_too_often(void *arg)
{
	(void)arg;
	leat_waitgroup wg = {0};

	leat_waitgroup_done(&wg);
}

TEST(line_96_a_negative_counter_panics)
{
	struct negative all[] = {{0, -1}, {5, -6}, {1, -1000}, {INT32_MAX, INT32_MIN}};

	for (int i = 0; i < 4; i++)
		CHECK(test_panics(go_below, &all[i], "sync: negative WaitGroup counter"));
	CHECK(test_panics(done_too_often, NULL, "sync: negative WaitGroup counter"));
}

struct write_one {
	int *where;
	leat_waitgroup *wg;
};

static void write_one(struct write_one *a)
{
	*a->where = 1;
	leat_waitgroup_done(a->wg);
}

static void *write_in_thread(void *arg)
{
	write_one(arg);
	return NULL;
}

TEST(line_99_all_that_was_done_is_visible_after_wait)
{
	int rounds = test_count(20000);

	for (int round = 0; round < rounds; round++) {
		int written[8] = {0};
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 8);
		for (int i = 0; i < 8; i++)
			go(write_one, &written[i], &wg);
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < 8; i++)
			CHECK_EQ(written[i], 1);
	}
}

TEST(line_99_done_by_plain_threads)
{
	for (int round = 0; round < 20; round++) {
		int written[4] = {0};
		leat_waitgroup wg = {0};
		struct write_one args[4];
		pthread_t threads[4];

		leat_waitgroup_add(&wg, 4);
		for (int i = 0; i < 4; i++) {
			args[i] = (struct write_one){&written[i], &wg};
			CHECK_EQ(pthread_create(&threads[i], NULL, write_in_thread, &args[i]), 0);
		}
		leat_waitgroup_wait(&wg);
		for (int i = 0; i < 4; i++)
			CHECK_EQ(written[i], 1);
		for (int i = 0; i < 4; i++)
			pthread_join(threads[i], NULL);
	}
}

struct spread {
	leat_waitgroup *wg;
	int depth;
	atomic_int *leaves;
};

/* An add while the counter is above 0 may come from anywhere, also beside a waiter. */
static void spread(struct spread *a)
{
	if (a->depth > 0) {
		leat_waitgroup_add(a->wg, 2);
		go(spread, a->wg, a->depth - 1, a->leaves);
		go(spread, a->wg, a->depth - 1, a->leaves);
	} else {
		atomic_fetch_add(a->leaves, 1);
	}
	leat_waitgroup_done(a->wg);
}

TEST(adding_while_others_wait)
{
	leat_waitgroup wg = {0};
	atomic_int leaves = 0;

	leat_waitgroup_add(&wg, 1);
	go(spread, &wg, 10, &leaves);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(leaves, 1024);
	test_goroutines(1);
}

/* The group may go as soon as a wait has returned: the last done must not touch it any more. */
TEST(a_group_may_go_when_its_wait_returns)
{
	int rounds = test_count(20000);

	for (int round = 0; round < rounds; round++) {
		leat_waitgroup *wg = calloc(1, sizeof *wg);
		int written = 0;

		CHECK(wg != NULL);
		leat_waitgroup_add(wg, 1);
		go(write_one, &written, wg);
		leat_waitgroup_wait(wg);
		memset(wg, 0xff, sizeof *wg);
		free(wg);
		CHECK_EQ(written, 1);
	}
}

TEST_MAIN
