/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_semaphore hands out no more tokens than it has, strictly in the order of arrival, to goroutines
 * and plain threads alike.
 * Method: waiters observably parked, one after the other; the number of tokens out counted by those who
 * have them.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

/* Tokens that are free, if nobody waits: found by taking them. */
static int64_t free_tokens(leat_semaphore *s)
{
	int64_t n = 0;

	while (leat_semaphore_tryacquire(s, 1))
		n++;
	leat_semaphore_release(s, n);
	return n;
}

TEST(it_has_as_many_tokens_as_it_was_made_with)
{
	static leat_semaphore of_three = LEAT_SEMAPHORE(3), of_zero;
	leat_semaphore made;

	CHECK_EQ(free_tokens(&of_three), 3);
	CHECK_EQ(free_tokens(&of_zero), 0);
	leat_semaphore_init(&made, 5);
	CHECK_EQ(free_tokens(&made), 5);
	leat_semaphore_acquire(&made, 2);
	CHECK_EQ(free_tokens(&made), 3);
	leat_semaphore_acquire(&made, 3);
	CHECK(!leat_semaphore_tryacquire(&made, 1));
	leat_semaphore_acquire(&made, 0);
	CHECK(leat_semaphore_tryacquire(&made, 0));
	leat_semaphore_release(&made, 5);
	CHECK_EQ(free_tokens(&made), 5);

	leat_semaphore_init(&made, INT64_MAX);
	leat_semaphore_acquire(&made, INT64_MAX);
	CHECK(!leat_semaphore_tryacquire(&made, 1));
	leat_semaphore_release(&made, INT64_MAX);
	CHECK(leat_semaphore_tryacquire(&made, INT64_MAX - 1));
}

/* --- order */

struct taker {
	leat_semaphore *s;
	int64_t n;
	int me;
	int *order; /* NULL: not wanted */
	atomic_int *got;
};

static void taker(struct taker *a)
{
	leat_semaphore_acquire(a->s, a->n);
	if (a->order)
		a->order[atomic_load(a->got)] = a->me;
	atomic_fetch_add(a->got, 1);
}

static void *take_in_thread(void *arg)
{
	taker(arg);
	return NULL;
}

TEST(line_186_a_large_request_at_the_head_holds_up_small_ones)
{
	leat_semaphore s = LEAT_SEMAPHORE(10);
	atomic_int got = 0;

	leat_semaphore_acquire(&s, 5);
	go(taker, &s, 6, 0, NULL, &got); /* 5 are free */
	test_parked(1);
	for (int i = 1; i <= 4; i++) {
		go(taker, &s, 1, i, NULL, &got);
		test_parked(1 + i);
	}
	CHECK(!leat_semaphore_tryacquire(&s, 1));
	CHECK_EQ(got, 0);
	leat_semaphore_release(&s, 1); /* 6 are free */
	test_until(atomic_load(&got) == 1);
	test_parked(4);
	leat_semaphore_release(&s, 4);
	test_until(atomic_load(&got) == 5);
	leat_semaphore_release(&s, 10);
	CHECK_EQ(free_tokens(&s), 10);
	test_goroutines(1);
}

/* Each is granted alone, and the grants can be told apart. */
TEST(line_186_the_order_is_that_of_arrival)
{
	enum { N = 100 };
	leat_semaphore s = LEAT_SEMAPHORE(7);
	atomic_int got = 0;
	int order[N];

	leat_semaphore_acquire(&s, 7);
	for (int i = 0; i < N; i++) {
		go(taker, &s, 1 + i % 7, i, order, &got);
		test_parked(1 + i);
	}
	for (int i = 0; i < N; i++) {
		/* None are free, so this makes just enough. */
		for (int64_t t = 0; t < 1 + i % 7; t++) {
			CHECK_EQ(atomic_load(&got), i);
			leat_semaphore_release(&s, 1);
		}
		test_until(atomic_load(&got) == i + 1);
		CHECK_EQ(order[i], i);
	}
	leat_semaphore_release(&s, 7);
	CHECK_EQ(free_tokens(&s), 7);
	test_goroutines(1);
}

TEST(one_release_wakes_all_who_can_have_theirs)
{
	leat_semaphore s = LEAT_SEMAPHORE(8);
	atomic_int got = 0;
	pthread_t thread;
	struct taker in_thread = {&s, 3, 0, NULL, &got};

	leat_semaphore_acquire(&s, 8);
	go(taker, &s, 2, 0, NULL, &got);
	test_parked(1);
	CHECK_EQ(pthread_create(&thread, NULL, take_in_thread, &in_thread), 0);
	test_parked(2);
	go(taker, &s, 1, 0, NULL, &got);
	test_parked(3);
	go(taker, &s, 5, 0, NULL, &got);
	test_parked(4);
	go(taker, &s, 1, 0, NULL, &got);
	test_parked(5);
	leat_semaphore_release(&s, 7); /* 2 + 3 + 1, and one to spare: not enough for the next */
	test_until(atomic_load(&got) == 3);
	test_parked(2);
	leat_semaphore_release(&s, 5);
	pthread_join(thread, NULL);
	test_until(atomic_load(&got) == 5);
	leat_semaphore_release(&s, 8);
	CHECK_EQ(free_tokens(&s), 8);
	test_goroutines(1);
}

TEST(line_188_tryacquire_never_jumps_the_queue)
{
	leat_semaphore s = LEAT_SEMAPHORE(4);
	atomic_int got = 0;

	leat_semaphore_acquire(&s, 3);
	go(taker, &s, 2, 0, NULL, &got);
	test_parked(1);
	CHECK(!leat_semaphore_tryacquire(&s, 1));
	CHECK(!leat_semaphore_tryacquire(&s, 0));
	leat_semaphore_release(&s, 1);
	test_until(atomic_load(&got) == 1);
	CHECK(!leat_semaphore_tryacquire(&s, 1));
	leat_semaphore_release(&s, 4);
	CHECK(leat_semaphore_tryacquire(&s, 4));
	test_goroutines(1);
}

/* --- misuse */

static void release_too_many(void *arg)
{
	leat_semaphore_release(arg, 2);
}

static void negative_acquire(void *arg)
{
	leat_semaphore_acquire(arg, -1);
}

static void negative_try(void *arg)
{
	(void)!leat_semaphore_tryacquire(arg, -1);
}

static void negative_release(void *arg)
{
	leat_semaphore_release(arg, -1);
}

static void negative_size(void *arg)
{
	leat_semaphore_init(arg, -1);
}

TEST(line_188_releasing_more_than_is_held_panics)
{
	leat_semaphore s = LEAT_SEMAPHORE(3);
	atomic_int got = 0;

	CHECK(test_panics(release_too_many, &s, "semaphore: released more than held"));
	leat_semaphore_acquire(&s, 1);
	CHECK(test_panics(release_too_many, &s, "semaphore: released more than held"));
	CHECK_EQ(free_tokens(&s), 2);
	go(taker, &s, 3, 0, NULL, &got);
	test_parked(1);
	CHECK(test_panics(release_too_many, &s, "semaphore: released more than held"));
	leat_semaphore_release(&s, 1);
	test_until(atomic_load(&got) == 1);
	leat_semaphore_release(&s, 3);
	CHECK_EQ(free_tokens(&s), 3);
	test_goroutines(1);
}

TEST(negative_numbers_panic)
{
	leat_semaphore s = LEAT_SEMAPHORE(3);

	CHECK(test_panics(negative_acquire, &s, "semaphore: negative weight"));
	CHECK(test_panics(negative_try, &s, "semaphore: negative weight"));
	CHECK(test_panics(negative_release, &s, "semaphore: negative weight"));
	CHECK(test_panics(negative_size, &s, "semaphore: negative size"));
	CHECK_EQ(free_tokens(&s), 3);
}

/* --- many */

struct worker {
	leat_semaphore *s;
	int64_t size;
	atomic_llong *out;
	int times, me;
	leat_waitgroup *done;
};

static void worker(struct worker *a)
{
	for (int i = 0; i < a->times; i++) {
		int64_t n = 1 + (i * 7 + a->me) % a->size;

		leat_semaphore_acquire(a->s, n);
		CHECK(atomic_fetch_add(a->out, n) + n <= a->size);
		if (i % 16 == 0)
			leat_yield();
		atomic_fetch_sub(a->out, n);
		leat_semaphore_release(a->s, n);
	}
	leat_waitgroup_done(a->done);
}

static void *work_in_thread(void *arg)
{
	worker(arg);
	return NULL;
}

TEST(no_more_tokens_are_out_than_there_are)
{
	enum { GOROUTINES = 16, THREADS = 3 };
	int times = test_count(50000);

	for (int64_t size = 1; size <= 9; size += 4) {
		leat_semaphore s;
		atomic_llong out = 0;
		leat_waitgroup done = {0};
		pthread_t threads[THREADS];
		struct worker in_thread = {&s, size, &out, times / 10 + 1, 3, &done};

		leat_semaphore_init(&s, size);
		leat_waitgroup_add(&done, GOROUTINES + THREADS);
		for (int i = 0; i < THREADS; i++)
			CHECK_EQ(pthread_create(&threads[i], NULL, work_in_thread, &in_thread), 0);
		for (int i = 0; i < GOROUTINES; i++)
			go(worker, &s, size, &out, times, i, &done);
		leat_waitgroup_wait(&done);
		for (int i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		CHECK_EQ(free_tokens(&s), size);
	}
	test_goroutines(1);
}

struct adder {
	leat_semaphore *s;
	int64_t *plain; /* ordered by the semaphore alone: the thread sanitizer looks */
	int times;
	leat_waitgroup *done;
};

static void adder(struct adder *a)
{
	for (int i = 0; i < a->times; i++) {
		if (i % 3 || !leat_semaphore_tryacquire(a->s, 1))
			leat_semaphore_acquire(a->s, 1);
		++*a->plain;
		leat_semaphore_release(a->s, 1);
	}
	leat_waitgroup_done(a->done);
}

TEST(a_release_happens_before_the_acquire_that_follows)
{
	enum { GOROUTINES = 8 };
	int times = test_count(100000);
	leat_semaphore s = LEAT_SEMAPHORE(1);
	leat_waitgroup done = {0};
	int64_t plain = 0;

	leat_waitgroup_add(&done, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		go(adder, &s, &plain, times, &done);
	leat_waitgroup_wait(&done);
	CHECK_EQ(plain, (int64_t)GOROUTINES * times);
	test_goroutines(1);
}

TEST_MAIN
