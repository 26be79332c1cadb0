/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced nosan noemulator locks */
/*
 * Goal: libleat_locks.so knows which locks a thread holds, and changes nothing of what they do.
 * Method: its account after each step, with the library preloaded.
 */
#define _GNU_SOURCE
#include "test.h"

#include "os/symbol.h"
#include "sched/locks.h"

#include <errno.h>
#include <pthread.h>

static __typeof__(leat__locks_held) *held;

static struct leat__lock_held *all(size_t n)
{
	static __thread struct leat__lock_held locks[200];

	if (!held)
		*(void **)&held = leat__symbol_named(LEAT__LOCKS_HELD);
	CHECK(held != NULL);
	CHECK_EQ(held(locks, 200), n);
	return locks;
}

static void make(pthread_mutex_t *m, int type, int robust)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setrobust(&attr, robust);
	pthread_mutex_init(m, &attr);
	pthread_mutexattr_destroy(&attr);
}

TEST(the_newest_comes_first_and_any_order_will_do)
{
	pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER, b = a, c = a;
	struct leat__lock_held *l = all(0);

	pthread_mutex_lock(&a);
	pthread_mutex_lock(&b);
	pthread_mutex_lock(&c);
	l = all(3);
	CHECK(l[0].lock == &c && l[1].lock == &b && l[2].lock == &a);
	CHECK_STR(l[0].kind, "pthread mutex");
	CHECK(l[0].where != NULL && l[0].where != l[1].where);
	pthread_mutex_unlock(&b);
	l = all(2);
	CHECK(l[0].lock == &c && l[1].lock == &a);
	pthread_mutex_unlock(&a);
	l = all(1);
	CHECK(l[0].lock == &c);
	pthread_mutex_unlock(&c);
	all(0);
}

TEST(a_recursive_one_is_held_until_its_last_unlock)
{
	pthread_mutex_t m;
	void *where;

	make(&m, PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED);
	for (int i = 0; i < 1000; i++)
		pthread_mutex_lock(&m);
	where = all(1)->where;
	CHECK_EQ(pthread_mutex_trylock(&m), 0);
	CHECK_EQ(all(1)->times, 1001);
	CHECK(all(1)->where == where);
	for (int i = 0; i < 1000; i++)
		pthread_mutex_unlock(&m);
	all(1);
	pthread_mutex_unlock(&m);
	all(0);
}

TEST(readers_count_as_recursive_ones)
{
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

	pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_rdlock(&rwlock);
	pthread_rwlock_unlock(&rwlock);
	all(1);
	pthread_rwlock_unlock(&rwlock);
	all(0);
}

TEST(results_are_handed_on_and_failures_leave_no_trace)
{
	pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
	struct timespec past = {0};
	pthread_mutex_t m;

	make(&m, PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED);
	errno = 77;
	CHECK_EQ(pthread_mutex_unlock(&m), EPERM);
	CHECK_EQ(pthread_mutex_lock(&m), 0);
	CHECK_EQ(pthread_mutex_lock(&m), EDEADLK);
	CHECK_EQ(pthread_mutex_trylock(&m), EBUSY);
	CHECK_EQ(all(1)->times, 1);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	all(0);
	CHECK_EQ(pthread_rwlock_wrlock(&rwlock), 0);
	CHECK_EQ(pthread_rwlock_tryrdlock(&rwlock), EBUSY);
	CHECK_EQ(pthread_rwlock_trywrlock(&rwlock), EBUSY);
	CHECK_EQ(all(1)->times, 1);
	CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
	all(0);
	CHECK_EQ(pthread_rwlock_rdlock(&rwlock), 0);
	CHECK_EQ(pthread_rwlock_timedwrlock(&rwlock, &past), ETIMEDOUT);
	CHECK_EQ(all(1)->times, 1);
	CHECK_EQ(pthread_rwlock_unlock(&rwlock), 0);
	CHECK_EQ(errno, 77);
	all(0);
}

static void *of_one_that_died(void *arg)
{
	pthread_mutex_lock(arg);
	return NULL;
}

TEST(a_mutex_of_one_that_died_is_held)
{
	pthread_mutex_t m;
	pthread_t thread;

	make(&m, PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST);
	CHECK_EQ(pthread_create(&thread, NULL, of_one_that_died, &m), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(pthread_mutex_lock(&m), EOWNERDEAD);
	all(1);
	CHECK_EQ(pthread_mutex_consistent(&m), 0);
	CHECK_EQ(pthread_mutex_unlock(&m), 0);
	all(0);
}

TEST(a_condition_gives_back_and_takes_without_a_trace)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec past = {0};

	pthread_mutex_lock(&m);
	CHECK_EQ(pthread_cond_timedwait(&cond, &m, &past), ETIMEDOUT);
	CHECK_EQ(all(1)->times, 1);
	pthread_mutex_unlock(&m);
	all(0);
}

TEST(more_than_there_is_room_for_are_forgotten)
{
	static pthread_mutex_t m[100];

	for (int backwards = 0; backwards < 2; backwards++) {
		for (int i = 0; i < 100; i++) {
			pthread_mutex_init(&m[i], NULL);
			pthread_mutex_lock(&m[i]);
		}
		for (size_t i = 0; i < 64; i++)
			CHECK(all(64)[i].lock == &m[63 - i]);
		for (int i = 0; i < 100; i++)
			CHECK_EQ(pthread_mutex_unlock(&m[backwards ? 99 - i : i]), 0);
		all(0);
	}
}

static void *unlock_elsewhere(void *arg)
{
	all(0);
	CHECK_EQ(pthread_mutex_unlock(arg), 0);
	all(0);
	pthread_mutex_lock(arg);
	all(1);
	return NULL;
}

TEST(each_thread_has_its_own)
{
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_t thread;

	pthread_mutex_lock(&m);
	CHECK_EQ(pthread_create(&thread, NULL, unlock_elsewhere, &m), 0);
	pthread_join(thread, NULL);
	all(1);
	pthread_mutex_unlock(&m);
	all(0);
}

TEST(libc_keeps_its_own_to_itself)
{
	char text[16];

	snprintf(text, sizeof text, "%s", "text");
	fputs("", stderr);
	free(malloc(100));
	all(0);
	flockfile(stderr);
	fputs("", stderr);
	CHECK_STR(all(1)->kind, "locked FILE");
	flockfile(stderr);
	CHECK_EQ(all(1)->times, 2);
	funlockfile(stderr);
	funlockfile(stderr);
	all(0);
}

TEST_MAIN
