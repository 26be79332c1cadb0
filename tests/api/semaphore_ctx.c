/* SPDX-License-Identifier: MIT */
/*
 * Goal: a wait for tokens ends with its context, and then it is as if it had never been: those behind are
 * served, and not a token is lost or won, however a cancel and a grant meet.
 * Method: waiters observably parked, then cancelled one by one; and cancels that race with releases, with
 * the tokens counted afterwards.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

static int64_t free_tokens(leat_semaphore *s)
{
	int64_t n = 0;

	while (leat_semaphore_tryacquire(s, 1))
		n++;
	leat_semaphore_release(s, n);
	return n;
}

TEST(line_187_a_done_context_gets_nothing_even_if_tokens_are_free)
{
	leat_semaphore s = LEAT_SEMAPHORE(2);
	leat_ctx *canceled = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *late = leat_ctx_with_timeout(leat_ctx_background(), 0);

	leat_ctx_cancel(canceled);
	CHECK_EQ(leat_semaphore_acquire_ctx(&s, 1, canceled), -ECANCELED);
	CHECK_EQ(leat_semaphore_acquire_ctx(&s, 0, canceled), -ECANCELED);
	CHECK_EQ(leat_semaphore_acquire_ctx(&s, 3, canceled), -ECANCELED);
	CHECK_EQ(leat_semaphore_acquire_ctx(&s, 1, late), -ETIMEDOUT);
	CHECK_EQ(free_tokens(&s), 2);
	CHECK_EQ(leat_semaphore_acquire_ctx(&s, 1, NULL), 0);
	CHECK_EQ(leat_semaphore_acquire_ctx(&s, 1, leat_ctx_background()), 0);
	CHECK_EQ(free_tokens(&s), 0);
	leat_ctx_free(canceled);
	leat_ctx_free(late);
}

struct taker {
	leat_semaphore *s;
	int64_t n;
	leat_ctx *ctx;
	atomic_int *result; /* 1: it is not known yet */
};

static void taker(struct taker *a)
{
	atomic_store(a->result, leat_semaphore_acquire_ctx(a->s, a->n, a->ctx));
}

static void *take_in_thread(void *arg)
{
	taker(arg);
	return NULL;
}

TEST(line_187_a_waiter_leaves_with_its_context_and_lets_others_go_on)
{
	leat_semaphore s = LEAT_SEMAPHORE(10);
	leat_ctx *ctx[4];
	atomic_int result[4] = {1, 1, 1, 1};
	const int64_t n[4] = {9, 4, 4, 4}; /* 5 are free: the first holds up the others */

	leat_semaphore_acquire(&s, 5);
	for (int i = 0; i < 4; i++) {
		ctx[i] = leat_ctx_with_cancel(leat_ctx_background());
		go(taker, &s, n[i], ctx[i], &result[i]);
		test_parked(i + 1);
	}
	leat_ctx_cancel(ctx[2]); /* in the middle of the queue */
	test_until(atomic_load(&result[2]) != 1);
	CHECK_EQ(result[2], -ECANCELED);
	test_parked(3);
	CHECK(!leat_semaphore_tryacquire(&s, 1));

	leat_ctx_cancel(ctx[0]); /* the head: the next has his 4, and the one after him not */
	test_until(atomic_load(&result[0]) != 1 && atomic_load(&result[1]) != 1);
	CHECK_EQ(result[0], -ECANCELED);
	CHECK_EQ(result[1], 0);
	test_parked(1);
	CHECK_EQ(result[3], 1);

	leat_ctx_cancel(ctx[3]); /* the last: nobody waits any more, and one is free */
	test_until(atomic_load(&result[3]) != 1);
	CHECK_EQ(result[3], -ECANCELED);
	test_until(leat_semaphore_tryacquire(&s, 1));
	CHECK_EQ(free_tokens(&s), 0);
	leat_semaphore_release(&s, 10);
	CHECK_EQ(free_tokens(&s), 10);
	for (int i = 0; i < 4; i++)
		leat_ctx_free(ctx[i]);
	test_goroutines(1);
}

TEST(line_187_a_deadline_ends_the_wait)
{
	leat_semaphore s = LEAT_SEMAPHORE(1);
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 5 * LEAT_MILLISECOND);

	leat_semaphore_acquire(&s, 1);
	CHECK_EQ(leat_semaphore_acquire_ctx(&s, 1, ctx), -ETIMEDOUT);
	CHECK(!leat_semaphore_tryacquire(&s, 1));
	leat_semaphore_release(&s, 1);
	CHECK_EQ(free_tokens(&s), 1);
	leat_ctx_free(ctx);
}

TEST(line_187_in_a_plain_thread_too)
{
	leat_semaphore s = LEAT_SEMAPHORE(2);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int result[2] = {1, 1};
	struct taker args[2] = {{&s, 2, ctx, &result[0]}, {&s, 1, NULL, &result[1]}};
	pthread_t threads[2];

	leat_semaphore_acquire(&s, 1);
	for (int i = 0; i < 2; i++) {
		CHECK_EQ(pthread_create(&threads[i], NULL, take_in_thread, &args[i]), 0);
		test_parked(i + 1);
	}
	leat_ctx_cancel(ctx);
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(result[0], -ECANCELED);
	CHECK_EQ(result[1], 0);
	leat_semaphore_release(&s, 2);
	CHECK_EQ(free_tokens(&s), 2);
	leat_ctx_free(ctx);
}

TEST(line_188_more_than_the_size_waits_for_its_context_and_holds_up_nobody)
{
	leat_semaphore s = LEAT_SEMAPHORE(2);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int result = 1, other = 1;

	go(taker, &s, 3, ctx, &result);
	test_parked(1);
	CHECK(leat_semaphore_tryacquire(&s, 2));
	leat_semaphore_release(&s, 2);
	leat_semaphore_acquire(&s, 2);
	go(taker, &s, 1, NULL, &other);
	test_parked(2);
	leat_semaphore_release(&s, 1);
	test_until(atomic_load(&other) == 0);
	CHECK_EQ(result, 1);
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&result) != 1);
	CHECK_EQ(result, -ECANCELED);
	leat_semaphore_release(&s, 2);
	CHECK_EQ(free_tokens(&s), 2);
	leat_ctx_free(ctx);
	test_goroutines(1);
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

TEST(line_187_a_custom_context_ends_the_wait)
{
	leat_semaphore s = LEAT_SEMAPHORE(1);
	struct own own = {chan_make(leat_empty, 0), 0};
	leat_ctx_ops ops = {.name = "own", .done = own_done, .err = own_err};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &ops, &own);
	atomic_int result = 1;

	leat_semaphore_acquire(&s, 1);
	go(taker, &s, 1, ctx, &result);
	test_parked(2); /* and who waits for that channel */
	atomic_store(&own.err, -ETIMEDOUT);
	chan_close(own.done);
	test_until(atomic_load(&result) != 1);
	CHECK_EQ(result, -ETIMEDOUT);
	leat_semaphore_release(&s, 1);
	CHECK_EQ(free_tokens(&s), 1);
	test_goroutines(1);
	leat_ctx_free(ctx);
	chan_free(own.done);
}

/* --- a cancel meets a grant */

struct racer {
	leat_semaphore *s;
	int rounds;
	atomic_llong *granted, *left;
	leat_waitgroup *done;
};

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

/* Waits that a cancel may end at any moment, while others take and release. */
static void racer(struct racer *a)
{
	for (int i = 0; i < a->rounds; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		atomic_int over = 0;
		int64_t n = 1 + i % 3;

		go(canceler, ctx, i % 64, &over);
		if (leat_semaphore_acquire_ctx(a->s, n, ctx) == 0) {
			if (i % 4 == 0)
				leat_yield();
			leat_semaphore_release(a->s, n);
			atomic_fetch_add(a->granted, 1);
		} else {
			atomic_fetch_add(a->left, 1);
		}
		while (!atomic_load(&over))
			leat_yield();
		leat_ctx_free(ctx);
	}
	leat_waitgroup_done(a->done);
}

TEST(line_187_tokens_are_exact_after_cancels_and_grants_that_race)
{
	enum { GOROUTINES = 8 };
	int rounds = test_count(1000000) / GOROUTINES;
	leat_semaphore s = LEAT_SEMAPHORE(3);
	atomic_llong granted = 0, left = 0;
	leat_waitgroup done = {0};

	leat_waitgroup_add(&done, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		go(racer, &s, rounds, &granted, &left, &done);
	leat_waitgroup_wait(&done);
	CHECK_EQ(atomic_load(&granted) + atomic_load(&left), (long long)GOROUTINES * rounds);
	CHECK_EQ(free_tokens(&s), 3);
	test_goroutines(1);
}

/* One waits, and while its cancel comes from one side the tokens come from the other. */
TEST(line_187_a_cancel_and_a_release_at_once)
{
	int rounds = test_count(200000), granted = 0;

	for (int i = 0; i < rounds; i++) {
		leat_semaphore s = LEAT_SEMAPHORE(2);
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		atomic_int result = 1, second = 1, over = 0;

		leat_semaphore_acquire(&s, 2);
		go(taker, &s, 2, ctx, &result);
		test_parked(1);
		go(taker, &s, 1, NULL, &second);
		test_parked(2);
		go(canceler, ctx, i % 50, &over);
		if (i % 4 == 0)
			leat_yield();
		for (volatile int spin = 0; spin < i % 128; spin++)
			;
		leat_semaphore_release(&s, 2);
		while (atomic_load(&result) == 1 || !atomic_load(&over))
			leat_yield();
		if (atomic_load(&result) == 0) {
			granted++;
			leat_semaphore_release(&s, 2);
		}
		while (atomic_load(&second) == 1)
			leat_yield();
		leat_semaphore_release(&s, 1);
		CHECK_EQ(free_tokens(&s), 2);
		test_goroutines(1); /* nobody uses what lies here any more */
		leat_ctx_free(ctx);
	}
	fprintf(stderr, "%d of %d were granted\n", granted, rounds);
}

TEST_MAIN
