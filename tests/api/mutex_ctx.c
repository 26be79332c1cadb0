/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_mutex_lock_ctx gives up when its context is done, leaves the queue, and loses neither the lock
 * nor anybody else who waits.
 * Method: waiters that are observably parked; then races of cancel against unlock, after which the lock
 * must be free and everybody have returned.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>

TEST(a_free_mutex_is_locked_unless_the_context_is_done)
{
	leat_mutex m = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	CHECK_EQ(leat_mutex_lock_ctx(&m, ctx), 0);
	CHECK(!leat_mutex_trylock(&m));
	leat_mutex_unlock(&m);
	CHECK_EQ(leat_mutex_lock_ctx(&m, NULL), 0);
	leat_mutex_unlock(&m);
	CHECK_EQ(leat_mutex_lock_ctx(&m, leat_ctx_background()), 0);
	leat_mutex_unlock(&m);
	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_mutex_lock_ctx(&m, ctx), -ECANCELED);
	CHECK(leat_mutex_trylock(&m));
	leat_mutex_unlock(&m);
	leat_ctx_free(ctx);
}

TEST(a_deadline_ends_the_wait)
{
	leat_mutex m = {0};
	scope(s, NULL);

	leat_mutex_lock(&m);
	scope_timeout(s, LEAT_MILLISECOND);
	CHECK_EQ(leat_mutex_lock_ctx(&m, s), -ETIMEDOUT);
	leat_mutex_unlock(&m);
}

struct locker {
	leat_mutex *m;
	leat_ctx *ctx;
	int *order, *at, me;
	int *result;
};

static void locker(struct locker *a)
{
	int err = leat_mutex_lock_ctx(a->m, a->ctx);

	if (!err) {
		a->order[(*a->at)++] = a->me;
		leat_mutex_unlock(a->m);
	}
	__atomic_store_n(a->result, err, __ATOMIC_RELEASE);
}

static void *locker_thread(void *a)
{
	locker(a);
	return NULL;
}

/* Three wait; the one in that place leaves; the others get the lock. */
static void one_of_three_leaves(int leaver)
{
	leat_mutex m = {0};
	leat_ctx *ctx[3];
	int order[3], at = 0, results[3] = {1, 1, 1};

	leat_mutex_lock(&m);
	for (int i = 0; i < 3; i++) {
		ctx[i] = leat_ctx_with_cancel(leat_ctx_background());
		go(locker, &m, ctx[i], order, &at, i, &results[i]);
		test_parked(i + 1);
	}
	leat_ctx_cancel(ctx[leaver]);
	test_until(__atomic_load_n(&results[leaver], __ATOMIC_ACQUIRE) == -ECANCELED);
	test_parked(2);
	leat_mutex_unlock(&m);
	for (int i = 0; i < 3; i++)
		test_until(__atomic_load_n(&results[i], __ATOMIC_ACQUIRE) <= 0);
	leat_mutex_lock(&m);
	CHECK_EQ(at, 2);
	leat_mutex_unlock(&m);
	for (int i = 0; i < 3; i++)
		leat_ctx_free(ctx[i]);
}

TEST(who_leaves_keeps_nobody_waiting)
{
	for (int leaver = 0; leaver < 3; leaver++)
		one_of_three_leaves(leaver);
}

TEST(a_plain_thread_leaves)
{
	leat_mutex m = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int order[1], at = 0, result = 1;
	struct locker a = {&m, ctx, order, &at, 0, &result};
	pthread_t thread;

	leat_mutex_lock(&m);
	CHECK_EQ(pthread_create(&thread, NULL, locker_thread, &a), 0);
	test_parked(1);
	leat_ctx_cancel(ctx);
	pthread_join(thread, NULL);
	CHECK_EQ(result, -ECANCELED);
	leat_mutex_unlock(&m);
	CHECK(leat_mutex_trylock(&m));
	leat_mutex_unlock(&m);
	leat_ctx_free(ctx);
}

struct racer {
	leat_mutex *m;
	leat_ctx *ctx;
	long *held, *left;
	int *inside;
	leat_waitgroup *wg;
};

static void racer(struct racer *a)
{
	if (leat_mutex_lock_ctx(a->m, a->ctx) == 0) {
		CHECK_EQ(++*a->inside, 1);
		++*a->held;
		if (*a->held % 4 == 0)
			leat_yield();
		--*a->inside;
		leat_mutex_unlock(a->m);
	} else {
		__atomic_fetch_add(a->left, 1, __ATOMIC_RELAXED);
	}
	leat_waitgroup_done(a->wg);
}

struct canceller {
	leat_ctx *ctx;
	leat_waitgroup *wg;
};

static void canceller(struct canceller *a)
{
	leat_ctx_cancel(a->ctx);
	leat_waitgroup_done(a->wg);
}

TEST(races_of_cancel_against_unlock_lose_nothing)
{
	leat_mutex m = {0};
	long held = 0, left = 0;
	int inside = 0, n = test_count(250000);

	for (int i = 0; i < n; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		leat_waitgroup wg = {0};

		leat_waitgroup_add(&wg, 5);
		leat_mutex_lock(&m);
		go(racer, &m, ctx, &held, &left, &inside, &wg);
		go(racer, &m, ctx, &held, &left, &inside, &wg);
		go(racer, &m, NULL, &held, &left, &inside, &wg);
		go(racer, &m, ctx, &held, &left, &inside, &wg);
		if (i % 2)
			leat_yield();
		go(canceller, ctx, &wg);
		if (i % 3)
			leat_yield();
		leat_mutex_unlock(&m);
		leat_waitgroup_wait(&wg);
		CHECK(leat_mutex_trylock(&m));
		leat_mutex_unlock(&m);
		leat_ctx_free(ctx);
	}
	CHECK_EQ(held + left, 4L * n);
	CHECK(held >= n);
	CHECK(left > 0);
}

TEST_MAIN
