/* SPDX-License-Identifier: MIT */
/*
 * Goal: a plain thread may be the first to call leat; main is goroutine 1 all the same, from its
 * own first call.
 * Method: the first test must come before any call of main's.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

struct tell_id {
	send_chan(uint64_t) out;
};

static void tell_id(struct tell_id *a)
{
	chan_send(a->out, leat_goid());
}

static void *first(void *arg)
{
	uint64_t *got = arg;
	chan(uint64_t) c = chan_make(uint64_t, 0);

	CHECK_EQ(leat_goid(), 0);
	leat_sleep(LEAT_MILLISECOND);
	for (int i = 0; i < 10; i++) {
		go(tell_id, chan_sender(c));
		got[i] = chan_recv(c);
	}
	chan_free(c);
	return NULL;
}

TEST(line_08_ids_when_a_plain_thread_comes_first)
{
	uint64_t got[10] = {0};
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, first, got), 0);
	pthread_join(thread, NULL);
	for (int i = 0; i < 10; i++) {
		CHECK(got[i] > 1);
		for (int k = 0; k < i; k++)
			CHECK(got[i] != got[k]);
	}
	CHECK_EQ(leat_goid(), 1);
	test_goroutines(1);
}

TEST(main_works_as_ever_afterwards)
{
	chan(uint64_t) c = chan_make(uint64_t, 0);

	go(tell_id, chan_sender(c));
	CHECK(chan_recv(c) > 1);
	test_goroutines(1);
	chan_free(c);
}

TEST_MAIN
