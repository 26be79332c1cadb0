/* SPDX-License-Identifier: MIT */
/*
 * Goal: plain threads that end in whatever way leave leat in order: by pthread_exit, by cancellation, with
 * the last use of leat in a destructor.
 * Method: end many, then see that the counts are right and that work goes on.
 */
#define _GNU_SOURCE
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

struct victim {
	chan(int) c;
	atomic_bool got;
};

static void *wait_in_leat(void *arg)
{
	struct victim *v = arg;

	atomic_store(&v->got, chan_recv(v->c) == 5);
	for (;;)
		pthread_testcancel();
	return NULL;
}

static void *exits_from_the_depth(void *arg)
{
	chan(int) c = arg;

	chan_send(c, 1);
	pthread_exit(NULL);
}

TEST(a_plain_thread_ends_by_pthread_exit)
{
	chan(int) c = chan_make(int, 0);

	for (int i = 0; i < 50; i++) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, exits_from_the_depth, (void *)c), 0);
		CHECK_EQ(chan_recv(c), 1);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
	chan_free(c);
	test_goroutines(1);
}

TEST(a_plain_thread_is_not_cancelled_inside)
{
	for (int i = 0; i < 20; i++) {
		struct victim v = {.c = chan_make(int, 0)};
		pthread_t thread;
		void *result;

		CHECK_EQ(pthread_create(&thread, NULL, wait_in_leat, &v), 0);
		test_parked(1);
		CHECK_EQ(pthread_cancel(thread), 0);
		/* It is still there, and takes what it waits for. */
		chan_send(v.c, 5);
		CHECK_EQ(pthread_join(thread, &result), 0);
		CHECK(result == PTHREAD_CANCELED);
		CHECK(atomic_load(&v.got));
		chan_free(v.c);
	}
	CHECK_EQ(leat_num_parked(), 0);
	test_goroutines(1);
}

/* --- the last use of leat after that of leat's own destructor */

static pthread_key_t last;
static chan(int) farewell;

static void say_farewell(void *unused)
{
	(void)unused;
	chan_send(farewell, 1);
}

static void *uses_leat_in_a_destructor(void *arg)
{
	CHECK_EQ(pthread_setspecific(last, arg), 0);
	leat_yield();
	return NULL;
}

TEST(destructors_of_a_thread_may_use_leat)
{
	farewell = chan_make(int, 0);
	CHECK_EQ(pthread_key_create(&last, say_farewell), 0);
	for (int i = 0; i < 50; i++) {
		pthread_t thread;

		CHECK_EQ(pthread_create(&thread, NULL, uses_leat_in_a_destructor, &last), 0);
		CHECK_EQ(chan_recv(farewell), 1);
		CHECK_EQ(pthread_join(thread, NULL), 0);
	}
	CHECK_EQ(pthread_key_delete(last), 0);
	chan_free(farewell);
	test_goroutines(1);
}

TEST_MAIN
