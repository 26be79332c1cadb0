/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_rwmutex_rlock_ctx and leat_rwmutex_lock_ctx give up when their context is done, and whoever waited
 * on their account goes on; no count is lost, whether readers are counted in the lock or by processor.
 * Method: waiters that are observably parked; then races of cancel against grant, after which the lock must be
 * free and everybody have returned.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>

enum { OFTEN = 5000 };

/* A lock that was read often is counted by processor. */
static leat_rwmutex *made(leat_rwmutex *m, int striped)
{
	*m = (leat_rwmutex){0};
	for (int i = 0; striped && i < OFTEN; i++) {
		leat_rwmutex_rlock(m);
		leat_rwmutex_runlock(m);
	}
	return m;
}

#define BOTH(m)                                                                                    \
	for (int both = 0; both < 2; both++)                                                           \
		for (leat_rwmutex space, *m = made(&space, both); m; m = NULL)

static void check_free(leat_rwmutex *m)
{
	CHECK(leat_rwmutex_tryrlock(m));
	leat_rwmutex_runlock(m);
	CHECK(leat_rwmutex_trylock(m));
	leat_rwmutex_unlock(m);
}

TEST(a_free_lock_is_locked_unless_the_context_is_done)
{
	BOTH(m)
	{
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

		CHECK_EQ(leat_rwmutex_rlock_ctx(m, ctx), 0);
		CHECK(!leat_rwmutex_trylock(m));
		CHECK_EQ(leat_rwmutex_rlock_ctx(m, NULL), 0);
		leat_rwmutex_runlock(m);
		leat_rwmutex_runlock(m);
		CHECK_EQ(leat_rwmutex_lock_ctx(m, ctx), 0);
		CHECK(!leat_rwmutex_tryrlock(m));
		leat_rwmutex_unlock(m);
		CHECK_EQ(leat_rwmutex_lock_ctx(m, NULL), 0);
		leat_rwmutex_unlock(m);
		leat_ctx_cancel(ctx);
		CHECK_EQ(leat_rwmutex_rlock_ctx(m, ctx), -ECANCELED);
		CHECK_EQ(leat_rwmutex_lock_ctx(m, ctx), -ECANCELED);
		check_free(m);
		leat_ctx_free(ctx);
	}
}

TEST(a_deadline_ends_the_wait)
{
	BOTH(m)
	{
		scope(s, NULL);

		scope_timeout(s, LEAT_MILLISECOND);
		leat_rwmutex_rlock(m);
		CHECK_EQ(leat_rwmutex_lock_ctx(m, s), -ETIMEDOUT);
		CHECK(leat_rwmutex_tryrlock(m));
		leat_rwmutex_runlock(m);
		leat_rwmutex_runlock(m);
		check_free(m);
	}
	BOTH(m)
	{
		scope(s, NULL);

		scope_timeout(s, LEAT_MILLISECOND);
		leat_rwmutex_lock(m);
		CHECK_EQ(leat_rwmutex_rlock_ctx(m, s), -ETIMEDOUT);
		leat_rwmutex_unlock(m);
		check_free(m);
	}
}

struct locker {
	leat_rwmutex *m;
	leat_ctx *ctx;
	bool write;
	int *result;
};

static void locker(struct locker *a)
{
	int err = a->write ? leat_rwmutex_lock_ctx(a->m, a->ctx) : leat_rwmutex_rlock_ctx(a->m, a->ctx);

	__atomic_store_n(a->result, err, __ATOMIC_RELEASE);
}

static void *locker_thread(void *a)
{
	locker(a);
	return NULL;
}

static int result_of(const int *result)
{
	test_until(__atomic_load_n(result, __ATOMIC_ACQUIRE) <= 0);
	return *result;
}

TEST(readers_go_on_when_a_writer_gives_up)
{
	BOTH(m)
	{
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		int results[4] = {1, 1, 1, 1};

		leat_rwmutex_rlock(m);
		go(locker, m, ctx, true, &results[0]);
		test_parked(1);
		for (int i = 1; i < 4; i++)
			go(locker, m, NULL, false, &results[i]);
		test_parked(4);
		leat_ctx_cancel(ctx);
		CHECK_EQ(result_of(&results[0]), -ECANCELED);
		for (int i = 1; i < 4; i++)
			CHECK_EQ(result_of(&results[i]), 0);
		for (int i = 0; i < 4; i++) {
			CHECK(!leat_rwmutex_trylock(m));
			leat_rwmutex_runlock(m);
		}
		check_free(m);
		leat_ctx_free(ctx);
	}
}

TEST(a_reader_leaves_the_queue)
{
	BOTH(m)
	{
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		int results[3] = {1, 1, 1};

		leat_rwmutex_lock(m);
		for (int i = 0; i < 3; i++) {
			go(locker, m, i == 1 ? ctx : NULL, false, &results[i]);
			test_parked(i + 1);
		}
		leat_ctx_cancel(ctx);
		CHECK_EQ(result_of(&results[1]), -ECANCELED);
		leat_rwmutex_unlock(m);
		CHECK_EQ(result_of(&results[0]), 0);
		CHECK_EQ(result_of(&results[2]), 0);
		leat_rwmutex_runlock(m);
		CHECK(!leat_rwmutex_trylock(m));
		leat_rwmutex_runlock(m);
		check_free(m);
		leat_ctx_free(ctx);
	}
}

TEST(a_writer_that_waits_for_a_writer_gives_up)
{
	leat_rwmutex m = {0};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int result = 1;

	leat_rwmutex_lock(&m);
	go(locker, &m, ctx, true, &result);
	test_parked(1);
	leat_ctx_cancel(ctx);
	CHECK_EQ(result_of(&result), -ECANCELED);
	leat_rwmutex_unlock(&m);
	check_free(&m);
	leat_ctx_free(ctx);
}

TEST(a_plain_thread_gives_up)
{
	BOTH(m)
	{
		for (int write = 0; write < 2; write++) {
			leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
			int result = 1;
			struct locker a = {m, ctx, write, &result};
			pthread_t thread;

			if (write)
				leat_rwmutex_rlock(m);
			else
				leat_rwmutex_lock(m);
			CHECK_EQ(pthread_create(&thread, NULL, locker_thread, &a), 0);
			test_parked(1);
			leat_ctx_cancel(ctx);
			pthread_join(thread, NULL);
			CHECK_EQ(result, -ECANCELED);
			if (write)
				leat_rwmutex_runlock(m);
			else
				leat_rwmutex_unlock(m);
			check_free(m);
			leat_ctx_free(ctx);
		}
	}
}

/* --- races of cancel against grant */

struct racer {
	leat_rwmutex *m;
	leat_ctx *ctx;
	bool write;
	int *inside; /* atomic: readers one each, a writer 100 */
	long *left;  /* atomic */
	leat_waitgroup *wg;
};

static void hold(struct racer *a)
{
	int weight = a->write ? 100 : 1;
	int n = __atomic_add_fetch(a->inside, weight, __ATOMIC_RELAXED);

	CHECK(a->write ? n == 100 : n < 100);
	leat_yield();
	__atomic_fetch_sub(a->inside, weight, __ATOMIC_RELAXED);
	if (a->write)
		leat_rwmutex_unlock(a->m);
	else
		leat_rwmutex_runlock(a->m);
}

static void racer(struct racer *a)
{
	int err = a->write ? leat_rwmutex_lock_ctx(a->m, a->ctx) : leat_rwmutex_rlock_ctx(a->m, a->ctx);

	if (err)
		__atomic_fetch_add(a->left, 1, __ATOMIC_RELAXED);
	else
		hold(a);
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

/* What is in m is let go while a cancel comes to some of those who wait. */
static void race(leat_rwmutex *m, int i, long *left)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_waitgroup wg = {0};
	int inside = 0;
	bool writes = i & 1;

	if (writes)
		leat_rwmutex_lock(m);
	else
		leat_rwmutex_rlock(m);
	leat_waitgroup_add(&wg, 6);
	for (int k = 0; k < 5; k++)
		go(racer, m, k & 1 ? NULL : ctx, ((i >> 1) + k) % 3 == 0, &inside, left, &wg);
	for (int k = 0; k < (i >> 3) % 4; k++)
		leat_yield();
	go(canceller, ctx, &wg);
	if (i & 4)
		leat_yield();
	if (writes)
		leat_rwmutex_unlock(m);
	else
		leat_rwmutex_runlock(m);
	leat_waitgroup_wait(&wg);
	check_free(m);
	leat_ctx_free(ctx);
}

TEST(races_of_cancel_against_grant_lose_nothing)
{
	int n = test_count(1000000);
	long left = 0;
	leat_rwmutex m = {0};

	for (int i = 0; i < n; i++)
		race(&m, i, &left);
	CHECK(left <= 3L * n);
}

/* The same while readers are counted by processor: each race begins with a lock that is striped, and is in
   the hands of a writer that gives up. */
TEST(races_of_cancel_against_the_last_reader_lose_nothing)
{
	int n = test_count(20000);
	long left = 0;

	for (int i = 0; i < n; i++) {
		leat_rwmutex space, *m = made(&space, 1);

		race(m, 2 * i, &left);
	}
	CHECK(left <= 3L * n);
}

struct stream {
	leat_rwmutex *m;
	int n;
	int *inside;
	long *sum;
	leat_waitgroup *wg;
};

static void reader(struct stream *s)
{
	for (int i = 0; i < s->n; i++) {
		leat_rwmutex_rlock(s->m);
		CHECK(__atomic_add_fetch(s->inside, 1, __ATOMIC_RELAXED) < 100);
		if (i % 128 == 0)
			leat_yield();
		__atomic_fetch_sub(s->inside, 1, __ATOMIC_RELAXED);
		leat_rwmutex_runlock(s->m);
	}
	leat_waitgroup_done(s->wg);
}

static void impatient(struct stream *s)
{
	for (int i = 0; i < s->n; i++) {
		leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), i % 8 * 10000);

		if (i % 4 == 0 || leat_rwmutex_lock_ctx(s->m, ctx) == 0) {
			if (i % 4 == 0)
				leat_rwmutex_lock(s->m);
			CHECK_EQ(__atomic_add_fetch(s->inside, 100, __ATOMIC_RELAXED), 100);
			++*s->sum;
			__atomic_fetch_sub(s->inside, 100, __ATOMIC_RELAXED);
			leat_rwmutex_unlock(s->m);
		}
		leat_ctx_free(ctx);
		leat_sleep(100000);
	}
	leat_waitgroup_done(s->wg);
}

/* Writers come, and give up, all the time, while readers make the lock striped again and again. */
TEST(writers_give_up_among_many_readers)
{
	leat_rwmutex m = {0};
	leat_waitgroup wg = {0};
	int inside = 0, n = test_count(1000000);
	long sum = 0;

	leat_waitgroup_add(&wg, 6);
	for (int i = 0; i < 4; i++)
		go_as(stream, reader, &m, n, &inside, &sum, &wg);
	for (int i = 0; i < 2; i++)
		go_as(stream, impatient, &m, n / 500 + 1, &inside, &sum, &wg);
	leat_waitgroup_wait(&wg);
	check_free(&m);
	CHECK(sum > 0);
}

TEST_MAIN
