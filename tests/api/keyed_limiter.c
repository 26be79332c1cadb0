/* SPDX-License-Identifier: MIT */
/*
 * Goal: a leat_keyed_limiter used by many at once keeps no more keys than it may, and lets no key have more than its
 * rate and burst.
 * Method: real time, of which only the lower bound is looked at; src/scale/keyed_limiter_test.c has the rest.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

enum { KEYS = 30, MAX = 10 };

struct asker {
	leat_keyed_limiter *l;
	int from, rounds;
	atomic_int *admitted; /* of each key */
	leat_waitgroup *done;
};

static void asker(struct asker *a)
{
	for (int i = 0; i < a->rounds; i++) {
		int k = (a->from + i / 20) % KEYS;
		leat_ctx *soon;
		char key[16];
		int err;

		snprintf(key, sizeof key, "%d", k);
		if (leat_keyed_limiter_allow(a->l, key))
			atomic_fetch_add(&a->admitted[k], 1);
		if (i % 8 == 0) {
			soon = leat_ctx_with_timeout(leat_ctx_background(), 500 * LEAT_MICROSECOND);
			err = leat_keyed_limiter_wait_ctx(a->l, key, soon);
			CHECK(err == 0 || err == -ETIME || err == -ENOSPC || err == -ETIMEDOUT);
			if (!err)
				atomic_fetch_add(&a->admitted[k], 1);
			leat_ctx_free(soon);
		}
		CHECK(leat_keyed_limiter_len(a->l) <= MAX);
	}
	leat_waitgroup_done(a->done);
}

static void *ask_in_thread(void *arg)
{
	asker(arg);
	return NULL;
}

TEST(section_20_no_key_is_admitted_more_often_than_its_rate_allows)
{
	leat_keyed_limiter *l = leat_keyed_limiter_make(5000, 3, MAX);
	atomic_int admitted[KEYS] = {0};
	leat_waitgroup done = {0};
	int rounds = test_count(100000);
	int64_t start = leat_now();
	struct asker in_thread = {l, 7, rounds, admitted, &done};
	pthread_t thread;
	double most;
	int total = 0;

	leat_waitgroup_add(&done, 6);
	CHECK_EQ(pthread_create(&thread, NULL, ask_in_thread, &in_thread), 0);
	for (int i = 0; i < 5; i++)
		go(asker, l, i * 6, rounds, admitted, &done);
	leat_waitgroup_wait(&done);
	most = 3 + (double)(leat_now() - start) / 1e9 * 5000 + 0.01;
	pthread_join(thread, NULL);
	for (int k = 0; k < KEYS; k++) {
		CHECK(atomic_load(&admitted[k]) <= most);
		total += atomic_load(&admitted[k]);
	}
	CHECK(total > 3 * MAX);
	CHECK(leat_keyed_limiter_evicted(l) > 0);
	test_until(leat_keyed_limiter_trim(l) > 0 || leat_keyed_limiter_len(l) == 0);
	test_until((leat_keyed_limiter_trim(l), leat_keyed_limiter_len(l) == 0));
	test_goroutines(1);
	leat_keyed_limiter_free(l);
}

TEST_MAIN
