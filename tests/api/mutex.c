/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_mutex excludes, parks goroutines and threads, loses nobody, and is owned by nobody.
 * Method: plain counters under the lock, which a lost exclusion makes wrong (and a race detector
 * sees); waiters that are observably parked before they are let go.
 */
#include "test.h"

#include <pthread.h>

struct guarded {
	leat_mutex mutex;
	long count;
	int inside; /* plain: more than one inside at once would show */
};

struct add_to {
	struct guarded *g;
	int n;
	leat_waitgroup *wg;
};

static void enter_once(struct guarded *g, bool yields)
{
	leat_mutex_lock(&g->mutex);
	CHECK_EQ(++g->inside, 1);
	g->count++;
	if (yields)
		leat_yield();
	CHECK_EQ(g->inside--, 1);
	leat_mutex_unlock(&g->mutex);
}

static void add_to(struct add_to *a)
{
	for (int i = 0; i < a->n; i++)
		enter_once(a->g, i % 16 == 0);
	leat_waitgroup_done(a->wg);
}

static void *add_in_thread(void *arg)
{
	add_to(arg);
	return NULL;
}

TEST(exclusion_among_goroutines)
{
	struct guarded g = {0};
	leat_waitgroup wg = {0};
	int n = test_count(20000);

	leat_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		go(add_to, &g, n, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(g.count, 10 * n);
}

TEST(exclusion_among_goroutines_and_plain_threads)
{
	struct guarded g = {0};
	leat_waitgroup wg = {0};
	int n = test_count(20000);
	struct add_to args = {&g, n, &wg};
	pthread_t threads[4];

	leat_waitgroup_add(&wg, 10);
	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, add_in_thread, &args), 0);
	for (int i = 0; i < 6; i++)
		go(add_to, &g, n, &wg);
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(g.count, 10 * n);
}

static leat_mutex in_static_memory;

TEST(zero_is_unlocked)
{
	leat_mutex m = {0};

	leat_mutex_lock(&m);
	leat_mutex_unlock(&m);
	leat_mutex_lock(&in_static_memory);
	CHECK(!leat_mutex_trylock(&in_static_memory));
	leat_mutex_unlock(&in_static_memory);
}

TEST(line_103_trylock_fails_iff_locked_and_never_parks)
{
	leat_mutex m = {0};

	for (int i = 0; i < 100; i++) {
		CHECK(leat_mutex_trylock(&m));
		CHECK(!leat_mutex_trylock(&m));
		CHECK(!leat_mutex_trylock(&m));
		leat_mutex_unlock(&m);
	}
	leat_mutex_lock(&m);
	CHECK(!leat_mutex_trylock(&m));
	leat_mutex_unlock(&m);
	CHECK(leat_mutex_trylock(&m));
	leat_mutex_unlock(&m);
}

struct try_add {
	struct guarded *g;
	leat_waitgroup *wg;
};

static void try_add(struct try_add *a)
{
	for (int got = 0; got < 200; got++) {
		while (!leat_mutex_trylock(&a->g->mutex))
			leat_yield();
		CHECK_EQ(++a->g->inside, 1);
		a->g->count++;
		a->g->inside--;
		leat_mutex_unlock(&a->g->mutex);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_103_trylock_excludes)
{
	struct guarded g = {0};
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 8);
	for (int i = 0; i < 4; i++) {
		go(try_add, &g, &wg);
		go(add_to, &g, 2000, &wg);
	}
	leat_waitgroup_wait(&wg);
	CHECK_EQ(g.count, 4 * 200 + 4 * 2000);
}

struct unlocker {
	leat_mutex *m;
};

static void unlocker(struct unlocker *a)
{
	leat_mutex_unlock(a->m);
}

static void *unlock_in_thread(void *m)
{
	leat_mutex_unlock(m);
	return NULL;
}

TEST(line_102_anybody_may_unlock)
{
	leat_mutex m = {0};
	pthread_t thread;

	for (int i = 0; i < 100; i++) {
		leat_mutex_lock(&m);
		go(unlocker, &m);
		leat_mutex_lock(&m);
		CHECK_EQ(pthread_create(&thread, NULL, unlock_in_thread, &m), 0);
		leat_mutex_lock(&m);
		leat_mutex_unlock(&m);
		pthread_join(thread, NULL);
	}
	test_goroutines(1);
}

struct waiter {
	struct guarded *g;
	leat_waitgroup *wg;
};

static void waiter(struct waiter *a)
{
	enter_once(a->g, false);
	leat_waitgroup_done(a->wg);
}

static void *wait_in_thread(void *arg)
{
	waiter(arg);
	return NULL;
}

TEST(line_102_the_locked_park_and_all_get_it)
{
	int n = test_count(10000);
	struct guarded g = {0};
	leat_waitgroup wg = {0};
	struct waiter args = {&g, &wg};
	pthread_t threads[8];

	leat_waitgroup_add(&wg, n + 8);
	leat_mutex_lock(&g.mutex);
	for (int i = 0; i < n; i++)
		go(waiter, &g, &wg);
	for (int i = 0; i < 8; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, wait_in_thread, &args), 0);
	test_parked(n + 8);
	CHECK(!leat_mutex_trylock(&g.mutex));
	leat_mutex_unlock(&g.mutex);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(g.count, n + 8);
	for (int i = 0; i < 8; i++)
		pthread_join(threads[i], NULL);
	CHECK(leat_mutex_trylock(&g.mutex));
	leat_mutex_unlock(&g.mutex);
}

static bool locked(leat_mutex *m)
{
	if (!leat_mutex_trylock(m))
		return true;
	leat_mutex_unlock(m);
	return false;
}

static int with_lock_return(leat_mutex *m)
{
	with_lock(m);
	return locked(m) ? 1 : 0;
}

static void with_lock_panic(void *m)
{
	with_lock(m);
	CHECK(locked(m));
	leat_panic("locked");
}

struct with_lock_goexit {
	leat_mutex *m;
};

static void with_lock_goexit(struct with_lock_goexit *a)
{
	with_lock(a->m);
	leat_goexit();
}

TEST(with_lock_unlocks_on_every_way_out)
{
	leat_mutex m = {0}, other = {0};

	{
		with_lock(&m);
		CHECK(locked(&m));
		{
			with_lock(&other);
			CHECK(locked(&other));
		}
		CHECK(!locked(&other));
	}
	CHECK(!locked(&m));
	for (int i = 0; i < 4; i++) {
		CHECK(!locked(&m));
		with_lock(&m);
		if (i == 1)
			continue;
		if (i == 2)
			break;
	}
	CHECK(!locked(&m));
	CHECK_EQ(with_lock_return(&m), 1);
	CHECK(!locked(&m));
	{
		with_lock(&m);
		goto out;
	}
out:
	CHECK(!locked(&m));
	CHECK(test_panics(with_lock_panic, &m, "locked"));
	CHECK(!locked(&m));
	go(with_lock_goexit, &m);
	test_goroutines(1);
	CHECK(!locked(&m));
}

static leat_mutex *next_mutex(leat_mutex **p)
{
	return (*p)++;
}

TEST(with_lock_evaluates_its_operand_once)
{
	leat_mutex pair[2] = {{0}, {0}}, *p = pair;

	{
		with_lock(next_mutex(&p));
		CHECK(p == pair + 1);
		CHECK(locked(&pair[0]));
		CHECK(!locked(&pair[1]));
	}
	CHECK(p == pair + 1);
	CHECK(!locked(&pair[0]));
}

/* A park under the lock moves the holder to another thread; that must not matter. */
struct park_inside {
	struct guarded *g;
	leat_waitgroup *wg;
};

static void park_inside(struct park_inside *a)
{
	for (int i = 0; i < 10; i++) {
		with_lock(&a->g->mutex);
		CHECK_EQ(++a->g->inside, 1);
		leat_sleep(20 * LEAT_MICROSECOND);
		leat_yield();
		a->g->count++;
		CHECK_EQ(a->g->inside--, 1);
	}
	leat_waitgroup_done(a->wg);
}

TEST(the_holder_may_park)
{
	struct guarded g = {0};
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 10);
	for (int i = 0; i < 10; i++)
		go(park_inside, &g, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(g.count, 100);
}

/* A goroutine waiting for a lock holds no processor. */
TEST(waiting_for_a_lock_delays_nobody)
{
	int procs = leat_procs(1);
	struct guarded g = {0};
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 3);
	leat_mutex_lock(&g.mutex);
	for (int i = 0; i < 3; i++)
		go(waiter, &g, &wg);
	test_parked(3);
	for (int i = 0; i < 10; i++)
		leat_sleep(LEAT_MILLISECOND);
	CHECK_EQ(g.count, 0);
	leat_mutex_unlock(&g.mutex);
	leat_waitgroup_wait(&wg);
	leat_procs(procs);
}

/* --- fairness */

struct hog {
	leat_mutex *m;
	bool *stop; /* under the mutex */
	leat_waitgroup *wg;
};

static void hog(struct hog *a)
{
	for (bool stop = false; !stop;) {
		int64_t end;

		leat_mutex_lock(a->m);
		for (end = leat_now() + 100 * LEAT_MICROSECOND; leat_now() < end;)
			;
		stop = *a->stop;
		leat_mutex_unlock(a->m);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_106_who_holds_it_all_the_time_lets_others_have_it)
{
	leat_mutex m = {0};
	leat_waitgroup wg = {0};
	bool stop = false;
	int64_t start = leat_now();

	leat_waitgroup_add(&wg, 1);
	go(hog, &m, &stop, &wg);
	for (int i = 0; i < 10; i++) {
		leat_sleep(100 * LEAT_MICROSECOND);
		leat_mutex_lock(&m);
		stop = i == 9;
		leat_mutex_unlock(&m);
	}
	leat_waitgroup_wait(&wg);
	CHECK(leat_now() - start < 10 * LEAT_SECOND);
}

enum { IN_LINE = 20 };

struct in_line {
	leat_mutex *m;
	int me;
	int *order, *n;
};

static void in_line(struct in_line *a)
{
	leat_mutex_lock(a->m);
	a->order[(*a->n)++] = a->me;
	leat_mutex_unlock(a->m);
}

/* Newcomers may go before those who sleep, these never before one another. */
TEST(line_106_those_who_sleep_get_it_in_the_order_of_arrival)
{
	for (int i = 0; i < test_count(200); i++) {
		leat_mutex m = {0};
		int order[IN_LINE], n = 0;

		leat_mutex_lock(&m);
		for (int k = 0; k < IN_LINE; k++) {
			go(in_line, &m, k, order, &n);
			test_parked(k + 1);
		}
		/* One that is woken finds it locked, and after the second time it is handed over. */
		for (int k = 0; k < 4; k++) {
			leat_mutex_unlock(&m);
			leat_mutex_lock(&m);
			for (int64_t end = leat_now() + LEAT_MILLISECOND; leat_now() < end;)
				leat_yield();
		}
		leat_mutex_unlock(&m);
		test_goroutines(1);
		CHECK_EQ(n, IN_LINE);
		for (int k = 0; k < IN_LINE; k++)
			CHECK_EQ(order[k], k);
	}
}

struct many_locks {
	leat_mutex *locks;
	long *counts;
	unsigned seed;
	leat_waitgroup *wg;
};

static void many_locks(struct many_locks *a)
{
	for (int i = 0; i < 1000; i++) {
		int k = (int)(rand_r(&a->seed) % 8), l = (int)(rand_r(&a->seed) % 8);

		if (k == l)
			continue;
		with_lock(&a->locks[k < l ? k : l]);
		with_lock(&a->locks[k < l ? l : k]);
		a->counts[k]++;
		a->counts[l]--;
	}
	leat_waitgroup_done(a->wg);
}

TEST(several_locks_in_order)
{
	leat_mutex locks[8];
	long counts[8] = {0}, sum = 0;
	leat_waitgroup wg = {0};

	memset(locks, 0, sizeof locks);
	leat_waitgroup_add(&wg, 8);
	for (unsigned i = 0; i < 8; i++)
		go(many_locks, locks, counts, i, &wg);
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < 8; i++)
		sum += counts[i];
	CHECK_EQ(sum, 0);
}

TEST_MAIN
