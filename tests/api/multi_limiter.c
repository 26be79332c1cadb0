/* SPDX-License-Identifier: MIT */
/*
 * Goal: a leat_multi_limiter admits no more than any of its tiers allows, however many ask, wait, and give up at once;
 * and its waits end by a context of any kind.
 * Method: real time, of which only the lower bound is looked at; what happens at which instant is in
 * src/scale/multi_limiter_test.c.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

TEST(section_20_waits_are_as_far_apart_as_the_strictest_tier_says)
{
	leat_limiter fast = LEAT_LIMITER(10000, 10), slow = LEAT_LIMITER(500, 1);
	leat_multi_limiter l;
	int64_t start;

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	start = leat_now();
	for (int i = 0; i < 6; i++)
		CHECK_EQ(leat_multi_limiter_wait(&l), 0);
	CHECK(leat_now() - start >= 10 * MS - 10);
}

struct waiter {
	leat_multi_limiter *l;
	leat_ctx *ctx;
	atomic_int *result; /* 1: it is not known yet */
};

static void waiter(struct waiter *a)
{
	atomic_store(a->result, leat_multi_limiter_wait_ctx(a->l, a->ctx));
}

static void *wait_in_thread(void *arg)
{
	waiter(arg);
	return NULL;
}

TEST(section_20_a_cancel_ends_a_long_wait_with_all_tokens_back)
{
	leat_limiter fast = LEAT_LIMITER(1e6, 2), slow = LEAT_LIMITER(1e-6, 1);
	leat_multi_limiter l;
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int result[3] = {1, 1, 1};
	struct waiter in_thread = {&l, ctx, &result[2]};
	pthread_t thread;

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&fast), LEAT_TIER(&slow));
	CHECK(leat_multi_limiter_allow(&l));
	go(waiter, &l, ctx, &result[0]);
	go(waiter, &l, ctx, &result[1]);
	CHECK_EQ(pthread_create(&thread, NULL, wait_in_thread, &in_thread), 0);
	test_parked(3);
	CHECK(leat_limiter_tokens(&slow) < -0.9 && leat_limiter_tokens(&slow) > -1.1);
	test_until(leat_limiter_tokens(&fast) >= 2);
	CHECK(!leat_multi_limiter_allow(&l));
	leat_ctx_cancel(ctx);
	for (int i = 0; i < 3; i++)
		test_until(atomic_load(&result[i]) == -ECANCELED);
	pthread_join(thread, NULL);
	CHECK(leat_limiter_tokens(&slow) > -0.001 && leat_limiter_tokens(&slow) < 0.5);
	CHECK(leat_limiter_tokens(&fast) >= 2);
	test_goroutines(1);
	leat_ctx_free(ctx);
}

/* A context of the program's own, which cannot tell by itself when it is done. */
struct own {
	chan(leat_empty) done;
	atomic_int err;
};

static recv_chan(leat_empty) own_done(void *self)
{
	return chan_receiver(((struct own *)self)->done);
}

static int own_err(void *self)
{
	return atomic_load(&((struct own *)self)->err);
}

TEST(section_16_a_custom_context_ends_it)
{
	leat_limiter slow = LEAT_LIMITER(1e-6, 1);
	leat_multi_limiter l;
	struct own own = {chan_make(leat_empty, 0), 0};
	leat_ctx_ops ops = {.name = "own", .done = own_done, .err = own_err};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &ops, &own);
	atomic_int result[2] = {1, 1};

	LEAT_MULTI_LIMITER_INIT(&l, LEAT_TIER(&slow));
	CHECK_EQ(leat_multi_limiter_wait_ctx(&l, ctx), 0);
	go(waiter, &l, ctx, &result[0]);
	go(waiter, &l, ctx, &result[1]);
	test_parked(3); /* and who waits for that channel */
	atomic_store(&own.err, -ETIMEDOUT);
	chan_close(own.done);
	for (int i = 0; i < 2; i++)
		test_until(atomic_load(&result[i]) == -ETIMEDOUT);
	CHECK(leat_limiter_tokens(&slow) > -0.001);
	test_goroutines(1);
	leat_ctx_free(ctx);
	chan_free(own.done);
}

/* --- many */

struct canceler {
	leat_ctx *ctx;
	int spin;
	atomic_int *admitted; /* NULL, or cancel only after that */
	atomic_int *over;
};

static void canceler(struct canceler *a)
{
	for (volatile int i = 0; i < a->spin; i++)
		;
	while (a->admitted && !atomic_load(a->admitted))
		leat_yield();
	leat_ctx_cancel(a->ctx);
	atomic_store(a->over, 1);
}

struct asker {
	leat_multi_limiter *l;
	int rounds;
	atomic_int *admitted;
	leat_waitgroup *done;
};

static void asker(struct asker *a)
{
	for (int i = 0; i < a->rounds; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		atomic_int over = 0, admitted = 0;
		bool wins = i % 8 == 0;
		int err;

		/* Most cancels race with the turn; some waits are let through, however busy the tiers are. */
		go(canceler, ctx, i % 512, wins ? &admitted : NULL, &over);
		err = leat_multi_limiter_wait_ctx(a->l, ctx);
		CHECK(err == 0 || (err == -ECANCELED && !wins));
		if (!err)
			atomic_fetch_add(a->admitted, 1);
		atomic_store(&admitted, 1);
		if (leat_multi_limiter_allow(a->l))
			atomic_fetch_add(a->admitted, 1);
		test_until(atomic_load(&over));
		leat_ctx_free(ctx);
	}
	leat_waitgroup_done(a->done);
}

static void *ask_in_thread(void *arg)
{
	asker(arg);
	return NULL;
}

TEST(section_20_no_tier_admits_more_than_it_may_while_waits_turns_and_cancels_race)
{
	leat_limiter shared = LEAT_LIMITER(100000, 3), one = LEAT_LIMITER(30000, 2),
	             two = LEAT_LIMITER(70000, 1);
	leat_multi_limiter first, second, all;
	leat_multi_limiter *asked[3] = {&first, &second, &all};
	atomic_int admitted[3] = {0};
	leat_waitgroup done = {0};
	int rounds = test_count(10000);
	int64_t start = leat_now();
	struct asker in_thread = {&all, rounds, &admitted[2], &done};
	pthread_t thread;
	double seconds;
	int a, b, c;

	LEAT_MULTI_LIMITER_INIT(&first, LEAT_TIER(&shared), LEAT_TIER(&one));
	LEAT_MULTI_LIMITER_INIT(&second, LEAT_TIER(&two), LEAT_TIER(&shared));
	LEAT_MULTI_LIMITER_INIT(&all, LEAT_TIER(&first), LEAT_TIER(&second));
	leat_waitgroup_add(&done, 7);
	CHECK_EQ(pthread_create(&thread, NULL, ask_in_thread, &in_thread), 0);
	for (int i = 0; i < 6; i++)
		go(asker, asked[i % 3], rounds, &admitted[i % 3], &done);
	leat_waitgroup_wait(&done);
	seconds = (double)(leat_now() - start) / 1e9;
	pthread_join(thread, NULL);
	a = atomic_load(&admitted[0]), b = atomic_load(&admitted[1]), c = atomic_load(&admitted[2]);
	/* Two askers each, three of them all: an eighth of their rounds at least. */
	CHECK(a >= rounds / 4 && b >= rounds / 4 && c >= rounds / 4);
	CHECK(a + b + c <= 3 + seconds * 100000 + 0.01);
	CHECK(a + c <= 2 + seconds * 30000 + 0.01);
	CHECK(b + c <= 1 + seconds * 70000 + 0.01);
	/* Nothing is promised, or set aside, any more. */
	test_until(leat_limiter_tokens(&shared) >= 3 && leat_limiter_tokens(&one) >= 2 &&
	           leat_limiter_tokens(&two) >= 1);
	test_goroutines(1);
}

TEST_MAIN
