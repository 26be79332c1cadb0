/* SPDX-License-Identifier: MIT */
/*
 * Goal: waits for a wait group that a context ends, and goroutines that a wait group starts (line 100).
 * Method: waiters that are observably parked; races of cancel against done, after which nobody waits.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>

TEST(at_zero_a_wait_with_a_context_returns_at_once_unless_that_is_done)
{
	leat_waitgroup wg = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	CHECK_EQ(leat_waitgroup_wait_ctx(&wg, ctx), 0);
	CHECK_EQ(leat_waitgroup_wait_ctx(&wg, NULL), 0);
	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_waitgroup_wait_ctx(&wg, ctx), -ECANCELED);
	leat_ctx_free(ctx);
}

struct waiter {
	leat_waitgroup *wg;
	leat_ctx *ctx;
	int *result;
};

static void waiter(struct waiter *a)
{
	int err = leat_waitgroup_wait_ctx(a->wg, a->ctx);

	__atomic_store_n(a->result, err, __ATOMIC_RELEASE);
}

static void *waiter_thread(void *a)
{
	waiter(a);
	return NULL;
}

#define RESULT(i) __atomic_load_n(&results[i], __ATOMIC_ACQUIRE)

TEST(line_95_all_kinds_of_waiters_are_released_together)
{
	leat_waitgroup wg = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	for (int round = 0; round < test_count(1000); round++) {
		int results[4] = {1, 1, 1, 1};

		leat_waitgroup_add(&wg, 1);
		for (int i = 0; i < 4; i++) /* with and without a context, either first */
			go(waiter, &wg, (i + round) % 2 ? ctx : NULL, &results[i]);
		test_parked(4);
		leat_waitgroup_done(&wg);
		for (int i = 0; i < 4; i++)
			test_until(RESULT(i) == 0);
	}
	leat_ctx_free(ctx);
}

TEST(who_leaves_is_no_waiter_any_more)
{
	leat_waitgroup wg = {0};
	leat_ctx *ctx[3];
	int results[3] = {1, 1, 1};

	leat_waitgroup_add(&wg, 1);
	for (int i = 0; i < 3; i++) {
		ctx[i] = leat_ctx_with_cancel(leat_ctx_background());
		go(waiter, &wg, ctx[i], &results[i]);
	}
	test_parked(3);
	leat_ctx_cancel(ctx[1]);
	test_until(RESULT(1) == -ECANCELED);
	test_parked(2);
	leat_ctx_cancel(ctx[0]);
	leat_ctx_cancel(ctx[2]);
	test_until(RESULT(0) == -ECANCELED && RESULT(2) == -ECANCELED);
	/* With a waiter left this would be "Add called concurrently with Wait", or release somebody gone. */
	leat_waitgroup_done(&wg);
	leat_waitgroup_add(&wg, 1);
	leat_waitgroup_done(&wg);
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < 3; i++)
		leat_ctx_free(ctx[i]);
}

TEST(a_deadline_ends_the_wait_of_a_plain_thread)
{
	leat_waitgroup wg = {0};
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	int result = 1;
	struct waiter a = {&wg, ctx, &result};
	pthread_t thread;

	leat_waitgroup_add(&wg, 1);
	CHECK_EQ(pthread_create(&thread, NULL, waiter_thread, &a), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(result, -ETIMEDOUT);
	leat_waitgroup_done(&wg);
	leat_ctx_free(ctx);
}

/* A difference from Go, which panics if it notices: who was released does not look at the group again, so that it
   may be freed, or used again at once. */
TEST(line_98_reuse_before_an_earlier_wait_has_returned)
{
	leat_waitgroup wg = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	for (int round = 0; round < test_count(1000); round++) {
		int results[4] = {1, 1, 1, 1};

		leat_waitgroup_add(&wg, 1);
		for (int i = 0; i < 4; i++)
			go(waiter, &wg, i % 2 ? ctx : NULL, &results[i]);
		test_parked(4);
		leat_waitgroup_done(&wg);
		leat_waitgroup_add(&wg, 1); /* some have not run yet */
		for (int i = 0; i < 4; i++)
			test_until(RESULT(i) == 0);
		leat_waitgroup_done(&wg);
		leat_waitgroup_wait(&wg);
	}
	leat_ctx_free(ctx);
}

struct race {
	leat_waitgroup *wg;
	leat_ctx *ctx;
	leat_waitgroup *all;
	int *seen;
};

static void race_wait(struct race *a)
{
	if (leat_waitgroup_wait_ctx(a->wg, a->ctx) == 0)
		CHECK_EQ(*a->seen, 1); /* plain: done happens before the return */
	leat_waitgroup_done(a->all);
}

static void race_done(struct race *a)
{
	*a->seen = 1;
	leat_waitgroup_done(a->wg);
	leat_waitgroup_done(a->all);
}

static void race_cancel(struct race *a)
{
	leat_ctx_cancel(a->ctx);
	leat_waitgroup_done(a->all);
}

TEST(races_of_cancel_against_done_leave_no_waiter)
{
	leat_waitgroup wg = {0};

	for (int i = 0; i < test_count(250000); i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		leat_waitgroup all = {0};
		int seen = 0;

		leat_waitgroup_add(&all, 5);
		leat_waitgroup_add(&wg, 1);
		go_as(race, race_wait, &wg, ctx, &all, &seen);
		go_as(race, race_wait, &wg, NULL, &all, &seen);
		go_as(race, race_wait, &wg, ctx, &all, &seen);
		if (i % 2)
			leat_yield();
		go_as(race, race_done, &wg, ctx, &all, &seen);
		go_as(race, race_cancel, &wg, ctx, &all, &seen);
		leat_waitgroup_wait(&all);
		leat_ctx_free(ctx);
	}
}

struct part {
	int *sum;
	int n;
};

static void part(struct part *a)
{
	__atomic_fetch_add(a->sum, a->n, __ATOMIC_RELAXED);
}

static int calls;

static void call(void)
{
	__atomic_fetch_add(&calls, 1, __ATOMIC_RELAXED);
}

TEST(line_100_go_adds_starts_and_is_done_with_the_goroutine)
{
	leat_waitgroup wg = {0};
	int sum = 0, n = test_count(10000);

	for (int i = 1; i <= n; i++) {
		wg_go(&wg, part, .sum = &sum, .n = i);
		wg_go0(&wg, call);
	}
	leat_waitgroup_wait(&wg);
	CHECK_EQ(sum, n * (n + 1) / 2);
	CHECK_EQ(calls, n);
}

static int deferred;

static void note(void *arg)
{
	(void)arg;
	leat_yield();
	deferred = 1;
}

static void goexits(void)
{
	defer(note, NULL);
	leat_goexit();
}

TEST(line_100_done_after_what_a_goexit_ran)
{
	leat_waitgroup wg = {0};

	wg_go0(&wg, goexits);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(deferred, 1);
}

struct large {
	char bytes[1000];
	int *sum;
};

static void large(struct large *a)
{
	__atomic_fetch_add(a->sum, a->bytes[0] + a->bytes[999], __ATOMIC_RELAXED);
}

TEST(line_100_large_arguments)
{
	leat_waitgroup wg = {0};
	int sum = 0;

	wg_go(&wg, large, .bytes = {[0] = 1, [999] = 2}, .sum = &sum);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(sum, 3);
}

static void go_too_large(void *wg)
{
	static char args[100000];

	leat_waitgroup_go(wg, (void (*)(void *))call, args, sizeof args);
}

TEST(a_go_that_panics_counts_nothing)
{
	leat_waitgroup wg = {0};

	CHECK(test_panics(go_too_large, &wg, "go: more than 65536 bytes of arguments"));
	leat_waitgroup_wait(&wg);
}

TEST_MAIN
