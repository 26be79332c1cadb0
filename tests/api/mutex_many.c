/* SPDX-License-Identifier: MIT */
/*
 * Goal: line 108: very many waiters, for one mutex or each for one of its own, cost no more each than few do.
 * Method: as many as there is room for; who walked over them would not be done before the test is killed.
 */
#include "test.h"

struct waiter {
	leat_mutex *m;
	int *count;
	leat_waitgroup *done;
};

static void waiter(struct waiter *a)
{
	leat_mutex_lock(a->m);
	__atomic_add_fetch(a->count, 1, __ATOMIC_RELAXED);
	leat_mutex_unlock(a->m);
	leat_waitgroup_done(a->done);
}

TEST(line_108_many_wait_for_one_mutex)
{
	int n = test_count(100000), count = 0;
	leat_mutex m = {0};
	leat_waitgroup done = {0};

	leat_waitgroup_add(&done, n);
	leat_mutex_lock(&m);
	for (int i = 0; i < n; i++)
		go(waiter, &m, &count, &done);
	test_parked(n);
	CHECK_EQ(__atomic_load_n(&count, __ATOMIC_RELAXED), 0);
	leat_mutex_unlock(&m);
	leat_waitgroup_wait(&done);
	CHECK_EQ(count, n);
}

TEST(line_108_many_wait_each_for_a_mutex_of_its_own)
{
	int n = test_count(100000), count = 0;
	leat_mutex *m = calloc((size_t)n, sizeof *m);
	leat_waitgroup done = {0};

	CHECK(m != NULL);
	leat_waitgroup_add(&done, n);
	for (int i = 0; i < n; i++) {
		leat_mutex_lock(&m[i]);
		go(waiter, &m[i], &count, &done);
	}
	test_parked(n);
	for (int i = n; i-- > 0;)
		leat_mutex_unlock(&m[i]);
	leat_waitgroup_wait(&done);
	CHECK_EQ(count, n);
	free(m);
}

TEST_MAIN
