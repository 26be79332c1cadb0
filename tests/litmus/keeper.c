/* SPDX-License-Identifier: MIT */
/*
 * Goal: of the threads that sleep in leat one sleeps until the first timer, and it neither misses a
 * timer nor is lost when it is given a processor at that same instant; and a timer that a plain thread
 * arms fires although everything else is asleep.
 *
 * Method: goroutines sleep for some microseconds, so that there is always a timer about to fire, while
 * plain threads make goroutines runnable, which takes sleeping threads off the idle list.
 */
#include "litmus.h"

#include <errno.h>

enum { SLEEPERS = 4, SENDERS = 2 };

static _Atomic int stop;
static leat_waitgroup sleepers;
static chan(int) posts[SENDERS];

struct sleeper {
	int seed, rounds;
};

static void sleeper(struct sleeper *s)
{
	uint64_t random = (uint64_t)s->seed + 1;

	for (int i = 0; i < s->rounds; i++) {
		int64_t ns = litmus_random(&random) % 60000, due = leat_now() + ns;

		leat_sleep(ns);
		CHECK(leat_now() >= due);
		litmus_round();
	}
	leat_waitgroup_done(&sleepers);
}

static void *sender(void *arg)
{
	int which = (int)(intptr_t)arg;
	uint64_t random = (uint64_t)which + 17;

	while (!atomic_load(&stop)) {
		chan_send(posts[which], 1);
		/* About as long as the sleeps, so that it meets their ends. */
		litmus_dither(&random, 100000);
	}
	chan_close(posts[which]);
	return NULL;
}

struct receiver {
	int which;
	leat_waitgroup *left;
};

static void receiver(struct receiver *r)
{
	chan_range(v, posts[r->which])
		CHECK(v == 1);
	leat_waitgroup_done(r->left);
}

TEST(keeper_is_given_a_processor_as_its_timer_fires)
{
	int rounds = test_count(100000);
	leat_waitgroup left = {0};
	pthread_t threads[SENDERS];

	leat_waitgroup_add(&left, SENDERS);
	for (int i = 0; i < SENDERS; i++) {
		posts[i] = chan_make(int, 0);
		go(receiver, .which = i, .left = &left);
		threads[i] = litmus_thread(sender, (void *)(intptr_t)i);
	}
	leat_waitgroup_add(&sleepers, SLEEPERS);
	for (int i = 0; i < SLEEPERS; i++)
		go(sleeper, .seed = i, .rounds = rounds);
	leat_waitgroup_wait(&sleepers);
	atomic_store(&stop, 1);
	leat_waitgroup_wait(&left);
	for (int i = 0; i < SENDERS; i++) {
		pthread_join(threads[i], NULL);
		chan_free(posts[i]);
	}
}

/* Arms a deadline when nothing has run for long enough that the monitor sleeps, too (the pause makes
   that likely, nothing depends on it), and then makes no call that could wake anybody. */
static void *armer(void *arg)
{
	nanosleep(&(struct timespec){.tv_nsec = 30000000}, NULL);
	leat_scope_timeout(arg, LEAT_MILLISECOND);
	while (!atomic_load(&stop))
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return NULL;
}

TEST(timer_of_a_plain_thread_fires_while_all_sleep)
{
	for (int i = 0; i < test_count(100); i++) {
		pthread_t thread;

		scope(s, NULL);
		atomic_store(&stop, 0);
		thread = litmus_thread(armer, s);
		chan_recv(leat_scope_done(s));
		CHECK_EQ(leat_scope_err(s), -ETIMEDOUT);
		atomic_store(&stop, 1);
		pthread_join(thread, NULL);
		litmus_round();
	}
}

TEST_MAIN
