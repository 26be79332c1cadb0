/* SPDX-License-Identifier: MIT */
/*
 * Goal: a goroutine that is locked to its thread has it for itself, and all else works as before.
 * Method: thread ids, noted at every step by locked goroutines and by others that run meanwhile.
 */
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

static int tid(void)
{
	return (int)syscall(SYS_gettid);
}

enum { TIDS = 4096 };

/* Whose threads they are. */
static atomic_int mine[TIDS]; /* how many locked goroutines say that it is theirs */
static atomic_bool stop;

/* Thread ids of one process lie close together. */
static atomic_int *mine_of(int id)
{
	return &mine[id % TIDS];
}

struct member {
	chan(int) in, out;
	leat_waitgroup *wg;
	atomic_int *count;
};

static void stray(struct member *a)
{
	while (!atomic_load(&stop)) {
		CHECK_EQ(atomic_load(mine_of(tid())), 0);
		atomic_fetch_add(a->count, 1);
		leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

static void locked(struct member *a)
{
	int id;

	leat_lock_thread();
	leat_lock_thread();
	id = tid();
	CHECK_EQ(atomic_fetch_add(mine_of(id), 1), 0);
	for (int i = 0; i < 60; i++) {
		switch (i % 4) {
		case 0:
			leat_yield();
			break;
		case 1:
			leat_sleep(10 * LEAT_MICROSECOND);
			break;
		case 2:
			chan_send(a->out, i);
			break;
		default:
			usleep(100);
			chan_recv(a->in);
		}
		CHECK_EQ(tid(), id);
		if (i == 30)
			leat_unlock_thread(); /* one of two */
	}
	CHECK_EQ(atomic_fetch_sub(mine_of(id), 1), 1);
	leat_unlock_thread();
	leat_unlock_thread(); /* one too many does nothing */
	leat_waitgroup_done(a->wg);
}

static void partner(struct member *a)
{
	for (int i = 0; i < 60; i++) {
		if (i % 4 == 2)
			chan_recv(a->out);
		else if (i % 4 == 3)
			chan_send(a->in, i);
	}
	leat_waitgroup_done(a->wg);
}

static void lock_beside(int goroutines)
{
	leat_waitgroup strays = {0}, wg = {0};
	chan(int) c[2 * 8];
	atomic_int count = 0;

	atomic_store(&stop, false);
	leat_waitgroup_add(&strays, 4);
	for (int i = 0; i < 4; i++)
		go_as(member, stray, .wg = &strays, .count = &count);
	leat_waitgroup_add(&wg, 2 * goroutines);
	for (int i = 0; i < goroutines; i++) {
		c[2 * i] = chan_make(int, 0);
		c[2 * i + 1] = chan_make(int, 0);
		go_as(member, locked, c[2 * i], c[2 * i + 1], &wg, &count);
		go_as(member, partner, c[2 * i], c[2 * i + 1], &wg);
	}
	leat_waitgroup_wait(&wg);
	atomic_store(&stop, true);
	leat_waitgroup_wait(&strays);
	for (int i = 0; i < 2 * goroutines; i++)
		chan_free(c[i]);
}

TEST(line_23_a_locked_goroutine_has_a_thread_for_itself)
{
	int procs = leat_procs(1);

	lock_beside(1);
	leat_procs(procs);
	lock_beside(1);
}

TEST(line_23_several_locked_goroutines)
{
	int procs = leat_procs(1);

	lock_beside(3);
	leat_procs(procs);
	lock_beside(8);
}

/* Threads that a goroutine took along: nobody must ever see one again. */
static atomic_bool lost[TIDS];
static atomic_int destroyed;
static pthread_key_t key;

static void destroy(void *value)
{
	(void)value;
	atomic_fetch_add(&destroyed, 1);
}

static void ends_locked(struct member *a)
{
	leat_lock_thread();
	CHECK(!atomic_load(&lost[tid() % TIDS]));
	/* The initial thread cannot end; it stays, and runs nothing. */
	if (tid() != getpid())
		pthread_setspecific(key, a);
	else
		atomic_fetch_add(&destroyed, 1);
	atomic_store(&lost[tid() % TIDS], true);
	if (atomic_fetch_add(a->count, 1) % 2) {
		leat_waitgroup_done(a->wg);
		leat_goexit();
	}
	leat_yield();
	leat_waitgroup_done(a->wg);
}

static void looks(struct member *a)
{
	CHECK(!atomic_load(&lost[tid() % TIDS]));
	leat_yield();
	CHECK(!atomic_load(&lost[tid() % TIDS]));
	leat_waitgroup_done(a->wg);
}

TEST(line_24_a_goroutine_that_ends_locked_takes_its_thread_along)
{
	leat_waitgroup wg = {0};
	atomic_int count = 0;

	CHECK_EQ(pthread_key_create(&key, destroy), 0);
	for (int i = 0; i < 20; i++) {
		leat_waitgroup_add(&wg, 4);
		go_as(member, ends_locked, .wg = &wg, .count = &count);
		for (int k = 0; k < 3; k++)
			go_as(member, looks, .wg = &wg);
		leat_waitgroup_wait(&wg);
		test_goroutines(1);
	}
	test_until(atomic_load(&destroyed) == 20);
}

/* A pin lasts as long as its block, however that is left. */
static void panics_pinned(void *arg)
{
	leat_pin();
	leat_yield();
	leat_panic("%s", (const char *)arg);
}

static void pinned(struct member *a)
{
	pthread_mutex_t recursive;
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&recursive, &attr);
	for (int i = 0; i < 20; i++) {
		int id;

		CHECK(test_panics(panics_pinned, "out", "out"));
		{
			leat_pin();
			id = tid();
			pthread_mutex_lock(&recursive);
			leat_sleep(10 * LEAT_MICROSECOND);
			pthread_mutex_lock(&recursive);
			leat_yield();
			/* Only the owner may: both are errors elsewhere. */
			CHECK_EQ(pthread_mutex_unlock(&recursive), 0);
			CHECK_EQ(pthread_mutex_unlock(&recursive), 0);
			CHECK_EQ(tid(), id);
		}
		leat_yield();
	}
	pthread_mutex_destroy(&recursive);
	pthread_mutexattr_destroy(&attr);
	leat_waitgroup_done(a->wg);
}

TEST(a_pin_lasts_to_the_end_of_its_block)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 6);
	for (int i = 0; i < 6; i++)
		go_as(member, pinned, .wg = &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

/* Computes for longer than a slice: it loses its processor, and gets one again on the same thread. */
static void locked_hog(struct member *a)
{
	int64_t end;
	int id;

	leat_pin();
	id = tid();
	for (int i = 0; i < 3; i++) {
		for (end = leat_now() + 20 * LEAT_MILLISECOND; leat_now() < end;)
			for (volatile int n = 0; n < 100000;)
				n++;
		usleep(1000);
		leat_yield();
		CHECK_EQ(tid(), id);
	}
	leat_waitgroup_done(a->wg);
}

TEST(line_31_locked_goroutines_that_compute_and_block)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 3);
	for (int i = 0; i < 3; i++)
		go_as(member, locked_hog, .wg = &wg);
	leat_waitgroup_wait(&wg);
}

/* All locked, all waiting for one another: nothing may be lost. */
static void ring(struct member *a)
{
	int v;

	leat_lock_thread();
	do {
		v = chan_recv(a->in);
		chan_send(a->out, v - 1);
	} while (v > 8);
	leat_unlock_thread();
	leat_waitgroup_done(a->wg);
}

TEST(line_23_a_ring_of_locked_goroutines)
{
	chan(int) c[8];
	leat_waitgroup wg = {0};

	for (int i = 0; i < 8; i++)
		c[i] = chan_make(int, 1);
	leat_waitgroup_add(&wg, 8);
	for (int i = 0; i < 8; i++)
		go_as(member, ring, c[i], c[(i + 1) % 8], &wg);
	chan_send(c[0], test_count(4000));
	leat_waitgroup_wait(&wg);
	for (int i = 0; i < 8; i++) {
		if (chan_len(c[i]))
			chan_recv(c[i]);
		chan_free(c[i]);
	}
}

static void *thread(void *arg)
{
	int id = tid();

	(void)arg;
	leat_unlock_thread();
	leat_lock_thread();
	leat_yield();
	{
		leat_pin();
		leat_sleep(LEAT_MICROSECOND);
	}
	leat_unlock_thread();
	CHECK_EQ(tid(), id);
	return NULL;
}

TEST(plain_threads_are_locked_anyway)
{
	pthread_t t;

	CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
	pthread_join(t, NULL);
}

TEST_MAIN
