/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: lines 104 and 105: who has waited for a mutex for a millisecond, and was woken in vain, is handed the lock,
 * and those behind him after him; before that a newcomer may have it.
 *
 * Method: a policy with one order of goroutines, and a time that passes when the test says so.
 */
#include "sched/policy.h"

#include "test.h"

#include <errno.h>

static int64_t virtual = LEAT_SECOND;

static uint32_t choose(enum leat__choice what, uint32_t n)
{
	(void)what;
	(void)n;
	return 0;
}

static int64_t now(void)
{
	return virtual;
}

static const struct leat__policy policy = {.choose = choose, .now = now};

static leat_mutex mutex;
static int order[3], got;

struct waiter {
	int me;
};

static void waiter(struct waiter *a)
{
	leat_mutex_lock(&mutex);
	order[got++] = a->me;
	leat_mutex_unlock(&mutex);
}

static void wait_for_it(int n)
{
	for (int i = 0; i < n; i++) {
		go(waiter, i);
		while (leat_num_parked() < (size_t)i + 1)
			leat_yield();
		virtual ++;
	}
}

/* The lock is taken again at once; who was woken finds it so. */
static void let_go_and_take(void)
{
	leat_mutex_unlock(&mutex);
	CHECK(leat_mutex_trylock(&mutex));
	leat_yield();
	CHECK_EQ(got, 0);
}

static void lose_the_mark(void)
{
	CHECK_EQ(mutex.leat__held, 1);
	__atomic_store_n(&mutex.leat__held, 0, __ATOMIC_RELAXED);
}

struct impatient {
	int *err;
};

static void impatient(struct impatient *a)
{
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 5 * LEAT_MILLISECOND);

	*a->err = leat_mutex_lock_ctx(&mutex, ctx);
	leat_ctx_free(ctx);
}

/* As where another's unlock comes between the two steps of a lock.  Who tries in vain makes it anew. */
TEST(line_101_the_mark_of_a_lock_may_get_lost)
{
	int err = 0;

	leat_mutex_lock(&mutex);
	lose_the_mark();
	leat_mutex_unlock(&mutex);
	CHECK_EQ(mutex.leat__locked, 0);
	CHECK_EQ(mutex.leat__held, 0);
	leat_mutex_lock(&mutex);
	lose_the_mark();
	go(impatient, &err);
	test_goroutines(1);
	CHECK_EQ(err, -ETIMEDOUT);
	CHECK_EQ(mutex.leat__held, 1);
	leat_mutex_unlock(&mutex);
	CHECK_EQ(mutex.leat__held, 0);
	CHECK(leat_mutex_trylock(&mutex));
	leat_mutex_unlock(&mutex);
}

TEST(line_105_after_a_millisecond_it_is_handed_over)
{
	int64_t start;

	leat__policy = &policy;
	leat_mutex_lock(&mutex);
	start = virtual;
	wait_for_it(3);
	let_go_and_take();
	virtual = start + LEAT_MILLISECOND - 1;
	let_go_and_take();
	virtual = start + LEAT_MILLISECOND;
	let_go_and_take();

	/* The second has waited for less: from him on it is as before. */
	leat_mutex_unlock(&mutex);
	CHECK(!leat_mutex_trylock(&mutex));
	CHECK_EQ(got, 0);
	test_goroutines(1);
	CHECK_EQ(got, 3);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(order[i], i);
	CHECK(leat_mutex_trylock(&mutex));
	leat_mutex_unlock(&mutex);
}

TEST(line_104_who_was_woken_in_vain_is_the_first_again)
{
	leat__policy = &policy;
	got = 0;
	leat_mutex_lock(&mutex);
	wait_for_it(3);
	for (int i = 0; i < 5; i++)
		let_go_and_take(); /* a newcomer has it, whoever was woken */
	leat_mutex_unlock(&mutex);
	test_goroutines(1);
	CHECK_EQ(got, 3);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(order[i], i);
}

TEST(line_105_all_who_have_waited_so_long_are_handed_it)
{
	leat__policy = &policy;
	got = 0;
	leat_mutex_lock(&mutex);
	wait_for_it(3);
	virtual += LEAT_MILLISECOND;
	let_go_and_take();
	leat_mutex_unlock(&mutex);
	while (got < 3) { /* it is never free in between */
		CHECK(!leat_mutex_trylock(&mutex));
		leat_yield();
	}
	for (int i = 0; i < 3; i++)
		CHECK_EQ(order[i], i);
	CHECK(leat_mutex_trylock(&mutex));
	leat_mutex_unlock(&mutex);
	test_goroutines(1);
}

TEST_MAIN
