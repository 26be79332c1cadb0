/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_limiter admits no more than its rate and burst allow, however many ask, and who waits for his
 * turn waits that long, or until his context is done.
 * Method: real time, of which only the lower bound is looked at; which token is whose, to the nanosecond, is
 * in src/sync/limiter_test.c.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

TEST(line_191_waits_are_as_far_apart_as_the_rate_says)
{
	leat_limiter l = LEAT_LIMITER(500, 1);
	int64_t start = leat_now();

	for (int i = 0; i < 6; i++)
		CHECK_EQ(leat_limiter_wait(&l), 0);
	CHECK(leat_now() - start >= 10 * MS - 10);
}

/* --- errors */

TEST(line_192_errors_and_their_words)
{
	leat_limiter l = LEAT_LIMITER(0.001, 3);
	leat_ctx *soon = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MINUTE);
	leat_ctx *past = leat_ctx_with_timeout(leat_ctx_background(), 0);
	leat_ctx *canceled = leat_ctx_with_cancel(leat_ctx_background());
	char text[60] = "?";

	leat_ctx_cancel(canceled);
	CHECK_EQ(leat_limiter_wait_n(&l, 4), -E2BIG);
	CHECK_EQ(leat_limiter_wait_n_ctx(&l, 1, canceled), -ECANCELED); /* even if it could at once */
	CHECK_EQ(leat_limiter_wait_ctx(&l, past), -ETIMEDOUT);
	CHECK_EQ((int64_t)leat_limiter_tokens(&l), 3);
	CHECK_EQ(leat_limiter_wait_n_ctx(&l, 3, soon), 0);
	CHECK_EQ(leat_limiter_wait_n_ctx(&l, 1, soon), -ETIME);
	CHECK(leat_limiter_tokens(&l) >= 0); /* not even a promise */
	CHECK_EQ(leat_ctx_err(soon), 0);

	CHECK_EQ(leat_limiter_strerror(&l, 4, -E2BIG, text, sizeof text), 41);
	CHECK_STR(text, "rate: Wait(n=4) exceeds limiter's burst 3");
	leat_limiter_strerror(&l, INT64_MAX, -E2BIG, text, 32);
	CHECK_STR(text, "rate: Wait(n=922337203685477580");
	CHECK_EQ(leat_limiter_strerror(&l, 1, -ETIME, text, sizeof text), 45);
	CHECK_STR(text, "rate: Wait(n=1) would exceed context deadline");
	leat_limiter_strerror(&l, 1, -ECANCELED, text, sizeof text);
	CHECK_STR(text, "context canceled");
	leat_limiter_strerror(&l, 1, -ETIMEDOUT, text, sizeof text);
	CHECK_STR(text, "context deadline exceeded");
	CHECK_EQ(leat_limiter_strerror(&l, 1, 0, text, sizeof text), 0);
	CHECK_STR(text, "");
	CHECK_EQ(leat_limiter_strerror(&l, 1, -ECANCELED, NULL, 0), 16);
	leat_ctx_free(soon);
	leat_ctx_free(past);
	leat_ctx_free(canceled);
}

static void negative_allow(void *arg)
{
	(void)!leat_limiter_allow_n(arg, -1);
}

static void negative_wait(void *arg)
{
	(void)!leat_limiter_wait_n(arg, -1);
}

static void negative_reserve(void *arg)
{
	(void)!leat_limiter_reserve_n(arg, -1).ok;
}

TEST(negative_numbers_panic)
{
	leat_limiter l = LEAT_LIMITER(1, 1);

	CHECK(test_panics(negative_allow, &l, "rate: negative n"));
	CHECK(test_panics(negative_wait, &l, "rate: negative n"));
	CHECK(test_panics(negative_reserve, &l, "rate: negative n"));
}

/* --- many */

struct asker {
	leat_limiter *l;
	int64_t until;
	atomic_int *admitted;
	leat_waitgroup *done;
};

static void asker(struct asker *a)
{
	do {
		if (leat_limiter_allow(a->l))
			atomic_fetch_add(a->admitted, 1);
		else
			leat_yield();
	} while (leat_now() < a->until);
	leat_waitgroup_done(a->done);
}

static void *ask_in_thread(void *arg)
{
	asker(arg);
	return NULL;
}

TEST(line_191_no_more_are_admitted_than_there_are_tokens)
{
	leat_limiter l = LEAT_LIMITER(10000, 7);
	atomic_int admitted = 0;
	leat_waitgroup done = {0};
	pthread_t threads[2];
	int64_t start = leat_now();
	struct asker in_thread = {&l, start + 20 * MS, &admitted, &done};
	double most;

	leat_waitgroup_add(&done, 8);
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, ask_in_thread, &in_thread), 0);
	for (int i = 0; i < 6; i++)
		go(asker, &l, start + 20 * MS, &admitted, &done);
	leat_waitgroup_wait(&done);
	most = 7 + (double)(leat_now() - start) / 1e9 * 10000 + 0.01;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK(atomic_load(&admitted) <= most);
	CHECK(atomic_load(&admitted) >= 7);
	test_goroutines(1);
}

struct waiter {
	leat_limiter *l;
	leat_ctx *ctx;
	atomic_int *result; /* 1: it is not known yet */
};

static void waiter(struct waiter *a)
{
	atomic_store(a->result, leat_limiter_wait_ctx(a->l, a->ctx));
}

static void *wait_in_thread(void *arg)
{
	waiter(arg);
	return NULL;
}

TEST(line_192_a_cancel_ends_a_long_wait_and_returns_the_token)
{
	leat_limiter l = LEAT_LIMITER(1e-6, 1);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int result[3] = {1, 1, 1};
	struct waiter in_thread = {&l, ctx, &result[2]};
	pthread_t thread;

	CHECK(leat_limiter_allow(&l));
	go(waiter, &l, ctx, &result[0]);
	go(waiter, &l, ctx, &result[1]);
	CHECK_EQ(pthread_create(&thread, NULL, wait_in_thread, &in_thread), 0);
	test_parked(3);
	CHECK(leat_limiter_tokens(&l) < -2.9 && leat_limiter_tokens(&l) > -3.1);
	leat_ctx_cancel(ctx);
	for (int i = 0; i < 3; i++)
		test_until(atomic_load(&result[i]) == -ECANCELED);
	pthread_join(thread, NULL);
	/* All are back, but those that were promised to one who left later: at least the last one's. */
	CHECK(leat_limiter_tokens(&l) >= -2.01 && leat_limiter_tokens(&l) < 0.5);
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

static bool own_deadline(void *self, int64_t *at_ns)
{
	(void)self;
	*at_ns = INT64_MIN; /* so long past that what is left does not fit */
	return true;
}

TEST(line_192_a_custom_context)
{
	leat_limiter l = LEAT_LIMITER(1e-6, 2);
	struct own own = {chan_make(leat_empty, 0), 0};
	leat_ctx_ops ops = {.name = "own", .done = own_done, .err = own_err};
	leat_ctx_ops late = {
	    .name = "late", .done = own_done, .err = own_err, .deadline = own_deadline};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &ops, &own);
	leat_ctx *past = leat_ctx_custom(leat_ctx_background(), &late, &own);
	atomic_int result = 1;

	CHECK_EQ(leat_limiter_wait_ctx(&l, past), -ETIME);
	CHECK_EQ(leat_limiter_wait_ctx(&l, ctx), 0);
	CHECK_EQ(leat_limiter_wait_ctx(&l, ctx), 0);
	go(waiter, &l, ctx, &result);
	test_parked(2); /* and who waits for that channel */
	atomic_store(&own.err, -ETIMEDOUT);
	chan_close(own.done);
	test_until(atomic_load(&result) == -ETIMEDOUT);
	test_goroutines(1);
	leat_ctx_free(ctx);
	leat_ctx_free(past);
	chan_free(own.done);
}

/* --- a cancel meets a turn */

struct canceler {
	leat_ctx *ctx;
	int spin;
	atomic_int *over;
};

static void canceler(struct canceler *a)
{
	for (volatile int i = 0; i < a->spin; i++)
		;
	leat_ctx_cancel(a->ctx);
	atomic_store(a->over, 1);
}

struct racer {
	leat_limiter *l;
	int rounds;
	atomic_int *admitted;
	leat_waitgroup *done;
};

static void racer(struct racer *a)
{
	for (int i = 0; i < a->rounds; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		atomic_int over = 0;
		int err;

		go(canceler, ctx, i % 512, &over);
		err = leat_limiter_wait_ctx(a->l, ctx);
		CHECK(err == 0 || err == -ECANCELED);
		if (!err)
			atomic_fetch_add(a->admitted, 1);
		while (!atomic_load(&over))
			leat_yield();
		leat_ctx_free(ctx);
	}
	leat_waitgroup_done(a->done);
}

TEST(line_192_cancels_and_turns_that_race)
{
	leat_limiter l = LEAT_LIMITER(500000, 2);
	int rounds = test_count(50000);
	atomic_int admitted = 0;
	leat_waitgroup done = {0};
	int64_t start = leat_now();

	leat_waitgroup_add(&done, 4);
	for (int i = 0; i < 4; i++)
		go(racer, &l, rounds, &admitted, &done);
	leat_waitgroup_wait(&done);
	CHECK(atomic_load(&admitted) <= 3 + (double)(leat_now() - start) / 1e9 * 500000);
	CHECK(leat_limiter_tokens(&l) <= 2);
	test_goroutines(1);
}

TEST_MAIN
