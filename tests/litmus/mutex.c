/* SPDX-License-Identifier: MIT */
/*
 * Goal: a mutex excludes, and the plain store of its unlock misses nobody who goes to sleep.
 *
 * Method: two plain threads meet and then one unlocks as the other one locks: whoever sleeps there and
 * is missed sleeps for ever, since nobody unlocks after that.  Then many goroutines and threads at
 * once, with a counter that only mutual exclusion keeps right.
 */
#include "litmus.h"

static leat_mutex mutex;
static struct litmus_meeting meeting = {.parties = 2};
static uint64_t counter; /* plain, under the mutex */
static int duel_rounds;

/* Each in turn holds the lock when they meet. */
static void *duellist(void *arg)
{
	int me = (int)(intptr_t)arg;
	uint64_t random = (uint64_t)me + 5;

	for (int i = 0; i < duel_rounds; i++) {
		bool holds = (i & 1) == me;

		if (holds)
			leat_mutex_lock(&mutex);
		litmus_meet(&meeting);
		litmus_dither(&random, 50);
		if (!holds)
			leat_mutex_lock(&mutex);
		counter++;
		leat_mutex_unlock(&mutex);
		litmus_meet(&meeting);
		litmus_round();
	}
	return NULL;
}

TEST(unlock_misses_no_sleeper)
{
	pthread_t a, b;

	duel_rounds = test_count(400000);
	counter = 0;
	a = litmus_thread(duellist, (void *)0);
	b = litmus_thread(duellist, (void *)1);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	CHECK_EQ(counter, 2 * (uint64_t)duel_rounds);
}

static leat_waitgroup left;

struct user {
	int seed, rounds;
};

static void use(struct user *u)
{
	uint64_t random = (uint64_t)u->seed + 1;

	for (int i = 0; i < u->rounds; i++) {
		if (litmus_random(&random) % 8 || !leat_mutex_trylock(&mutex))
			leat_mutex_lock(&mutex);
		counter++;
		/* Some hold it while they lose their processor. */
		if (litmus_random(&random) % 512 == 0)
			leat_yield();
		leat_mutex_unlock(&mutex);
		litmus_dither(&random, 100);
		litmus_round();
	}
}

static void user(struct user *u)
{
	use(u);
	leat_waitgroup_done(&left);
}

static void *user_thread(void *u)
{
	use(u);
	return NULL;
}

TEST(mutex_excludes)
{
	enum { GOROUTINES = 8, USING_THREADS = 2 };
	int rounds = test_count(200000);
	struct user thread_users[USING_THREADS];
	pthread_t threads[USING_THREADS];

	counter = 0;
	leat_waitgroup_add(&left, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		go(user, .seed = i, .rounds = rounds);
	for (int i = 0; i < USING_THREADS; i++) {
		thread_users[i] = (struct user){.seed = 100 + i, .rounds = rounds};
		threads[i] = litmus_thread(user_thread, &thread_users[i]);
	}
	leat_waitgroup_wait(&left);
	for (int i = 0; i < USING_THREADS; i++)
		pthread_join(threads[i], NULL);
	CHECK_EQ(counter, (uint64_t)(GOROUTINES + USING_THREADS) * (uint64_t)rounds);
}

TEST_MAIN
