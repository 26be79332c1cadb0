/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_adaptive lets no more calls in than its limit, serves who waits in order, lets no more wait than may, and
 * loses no place to a context that ends a wait.  How the limit comes about is in adaptive_limit.c.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#define US LEAT_MICROSECOND

struct waiter {
	leat_adaptive *a;
	leat_ctx *ctx;
	int i;
	atomic_int *result; /* 1: it is not known yet */
	atomic_int *order;  /* how many were let in before */
	atomic_int *place;
};

static void waiter(struct waiter *w)
{
	leat_adaptive_ticket t;
	int err = leat_adaptive_acquire_ctx(w->a, &t, w->ctx);

	if (!err)
		atomic_store(w->place, atomic_fetch_add(w->order, 1));
	atomic_store(w->result, err);
}

TEST(who_waits_is_served_in_order_and_no_more_wait_than_may)
{
	leat_adaptive a = LEAT_ADAPTIVE(.first = 1, .most = 1, .queue = 3);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int result[4] = {1, 1, 1, 1}, place[4], order = 0;
	leat_adaptive_ticket t, other;

	CHECK_EQ(leat_adaptive_try_acquire(&a, &t), 0);
	CHECK_EQ(leat_adaptive_try_acquire(&a, &other), -EAGAIN);
	for (int i = 0; i < 3; i++) {
		go(waiter, &a, i == 1 ? ctx : NULL, i, &result[i], &order, &place[i]);
		test_until(leat_adaptive_get_stats(&a).waiting == (uint32_t)i + 1);
	}
	CHECK_EQ(leat_adaptive_acquire_ctx(&a, &other, NULL), -EAGAIN);
	CHECK_EQ(leat_adaptive_get_stats(&a).refused, 2);
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&result[1]) == -ECANCELED);
	CHECK_EQ(leat_adaptive_acquire_ctx(&a, &other, ctx), -ECANCELED);
	CHECK_EQ(leat_adaptive_get_stats(&a).waiting, 2);
	go(waiter, &a, NULL, 3, &result[3], &order, &place[3]); /* in his place */
	test_until(leat_adaptive_get_stats(&a).waiting == 3);
	for (int i = 0; i < 4; i++) {
		if (i == 1)
			continue;
		CHECK_EQ(atomic_load(&result[i]), 1);
		leat_adaptive_release(&a, t, LEAT_ADAPTIVE_IGNORE);
		test_until(atomic_load(&result[i]) == 0);
		CHECK_EQ(atomic_load(&place[i]), i ? i - 1 : 0);
		CHECK_EQ(leat_adaptive_get_stats(&a).under_way, 1);
	}
	leat_adaptive_release(&a, t, LEAT_ADAPTIVE_OK);
	CHECK_EQ(leat_adaptive_get_stats(&a).under_way, 0);
	test_goroutines(1);
	leat_ctx_free(ctx);
}

TEST(a_limit_that_grows_lets_several_in_and_one_that_shrinks_none)
{
	leat_adaptive a =
	    LEAT_ADAPTIVE(.algorithm = LEAT_ADAPTIVE_AIMD, .first = 2, .queue = 9, .decrease = 0.5);
	atomic_int result[4] = {1, 1, 1, 1}, place[4], order = 0;
	leat_adaptive_ticket t[2];

	for (int i = 0; i < 2; i++)
		CHECK_EQ(leat_adaptive_try_acquire(&a, &t[i]), 0);
	for (int i = 0; i < 4; i++) {
		go(waiter, &a, NULL, i, &result[i], &order, &place[i]);
		test_until(leat_adaptive_get_stats(&a).waiting == (uint32_t)i + 1);
	}
	leat_adaptive_release(&a, t[0], LEAT_ADAPTIVE_OK); /* one goes, and the limit is 3 */
	test_until(atomic_load(&order) == 2);
	CHECK_EQ(leat_adaptive_get_stats(&a).limit, 3);
	CHECK_EQ(leat_adaptive_get_stats(&a).under_way, 3);
	CHECK_EQ(leat_adaptive_get_stats(&a).waiting, 2);
	leat_adaptive_release(&a, t[1], LEAT_ADAPTIVE_DROPPED); /* 1.5 */
	leat_adaptive_release(&a, t[1], LEAT_ADAPTIVE_IGNORE);
	CHECK_EQ(leat_adaptive_get_stats(&a).under_way, 1);
	CHECK_EQ(leat_adaptive_get_stats(&a).waiting, 2);
	for (int i = 0; i < 2; i++) {
		leat_adaptive_release(&a, t[1], LEAT_ADAPTIVE_IGNORE);
		test_until(atomic_load(&order) == 3 + i);
	}
	leat_adaptive_release(&a, t[1], LEAT_ADAPTIVE_IGNORE);
	for (int i = 0; i < 4; i++)
		test_until(atomic_load(&result[i]) == 0);
	test_goroutines(1);
}

static void release(void *a)
{
	leat_adaptive_ticket t = {0};

	leat_adaptive_release(a, t, LEAT_ADAPTIVE_OK);
}

static void init(void *opts)
{
	leat_adaptive a;

	leat_adaptive_init(&a, opts);
	CHECK_EQ(leat_adaptive_get_stats(&a).under_way, 0);
}

TEST(misuse_panics)
{
	leat_adaptive a = {0};
	leat_adaptive_opts bad[] = {{.least = 5, .most = 4, .first = 4},
	                            {.least = 5, .first = 4},
	                            {.most = 5, .first = 6},
	                            {.decrease = 1},
	                            {.decrease = -0.1},
	                            {.decrease = __builtin_nan("")},
	                            {.window_ns = -1}};

	CHECK(test_panics(release, &a, "adaptive: released more than acquired"));
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		CHECK(test_panics(init, &bad[i], "adaptive: bad options"));
	init(&(leat_adaptive_opts){.least = 20, .most = 30});
	init(&(leat_adaptive_opts){.most = 3});
}

/* --- many */

static atomic_int active, most;

struct caller {
	leat_adaptive *a;
	int rounds, seed;
	atomic_int *done, *refused, *canceled;
};

static void caller(struct caller *c)
{
	for (int i = 0; i < c->rounds; i++) {
		leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(),
		                                      (i + c->seed) % 3 ? LEAT_MINUTE : (i % 50) * US);
		leat_adaptive_ticket t;
		int err = leat_adaptive_acquire_ctx(c->a, &t, ctx), now, max;

		leat_ctx_free(ctx);
		if (err) {
			CHECK(err == -EAGAIN || err == -ETIMEDOUT);
			atomic_fetch_add(err == -EAGAIN ? c->refused : c->canceled, 1);
			leat_yield();
			continue;
		}
		now = atomic_fetch_add(&active, 1) + 1;
		max = atomic_load(&most);
		while (now > max && !atomic_compare_exchange_weak(&most, &max, now))
			;
		if (i % 7 == 0)
			leat_sleep(5 * US);
		else
			leat_yield();
		atomic_fetch_sub(&active, 1);
		leat_adaptive_release(c->a, t,
		                      (leat_adaptive_outcome)((i + c->seed) % 11 == 0 ? 1 : i % 3 * 2 % 3));
		atomic_fetch_add(c->done, 1);
	}
}

static void *call_in_thread(void *arg)
{
	caller(arg);
	return NULL;
}

static void many(leat_adaptive_algorithm algorithm, uint32_t least, uint32_t bound)
{
	leat_adaptive a = LEAT_ADAPTIVE(.algorithm = algorithm, .first = least, .least = least,
	                                .most = bound, .queue = 6, .window_ns = LEAT_MILLISECOND);
	atomic_int done = 0, refused = 0, canceled = 0;
	int rounds = test_count(20000);
	struct caller in_thread = {&a, rounds, 1, &done, &refused, &canceled};
	pthread_t thread;
	leat_adaptive_stats stats;

	atomic_store(&most, 0);
	CHECK_EQ(pthread_create(&thread, NULL, call_in_thread, &in_thread), 0);
	{
		scope(s, NULL);
		for (int i = 0; i < 16; i++)
			scope_go(s, caller, &a, rounds, i, &done, &refused, &canceled);
		scope_wait(s);
	}
	pthread_join(thread, NULL);
	stats = leat_adaptive_get_stats(&a);
	CHECK(atomic_load(&most) <= (int)bound);
	CHECK_EQ(atomic_load(&done) + atomic_load(&refused) + atomic_load(&canceled), 17 * rounds);
	CHECK(atomic_load(&done) > 17);
	CHECK_EQ(stats.refused, atomic_load(&refused));
	CHECK_EQ(stats.under_way + stats.waiting, 0);
	CHECK(stats.limit >= least && stats.limit <= bound);
	test_goroutines(1);
}

TEST(wish_11_never_more_calls_than_the_limit_whatever_races)
{
	many(LEAT_ADAPTIVE_AIMD, 4, 4);
	many(LEAT_ADAPTIVE_GRADIENT, 1, 1);
	many(LEAT_ADAPTIVE_AIMD, 1, 8);
	many(LEAT_ADAPTIVE_GRADIENT, 2, 6);
}

TEST_MAIN
