/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,8 */
/*
 * Goal: no alarm is false: at each of these moments all goroutines sleep, but for one that comes back.
 * Method: as many of them as time allows, each a little different; a false alarm would be the end of the
 * process.  With plain threads, counts that are off by one for an instant would be.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>

static _Atomic uint64_t state = 1;

static unsigned random_below(unsigned n)
{
	uint64_t x = atomic_fetch_add(&state, 1) * UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned)((x >> 33) % n);
}

struct call {
	chan(int) back;
	unsigned us;
	int how;
};

static int fds[2];

static void call(struct call *a)
{
	char byte = 0;

	switch (a->how) {
	case 0:
		usleep(a->us); /* about as long as it takes to lose the processor */
		break;
	case 1:
		CHECK_EQ(write(fds[1], &byte, 1), 1);
		CHECK_EQ(read(fds[0], &byte, 1), 1);
		break;
	default:
		leat_sleep(a->us);
	}
	chan_send(a->back, 1);
}

TEST(line_161_one_is_in_a_system_call_that_completes)
{
	chan(int) back = chan_make(int, 0);
	int n = test_count(30000);

	CHECK_EQ(pipe(fds), 0);
	for (int i = 0; i < n; i++) {
		go(call, back, random_below(i % 8 ? 60 : 800), (int)random_below(3));
		CHECK_EQ(chan_recv(back), 1);
	}
	CHECK_EQ(close(fds[0]), 0);
	CHECK_EQ(close(fds[1]), 0);
	chan_free(back);
}

TEST(line_161_main_is_in_the_system_call)
{
	chan(int) back = chan_make(int, 0);
	int n = test_count(5000);

	for (int i = 0; i < n; i++) {
		go(call, back, 0, 3);
		usleep(random_below(300));
		CHECK_EQ(chan_recv(back), 1);
	}
	chan_free(back);
}

/* Two asleep in turn: at every hand-over one is about to sleep and one about to wake. */
struct relay {
	chan(int) in, out;
};

static void relay(struct relay *a)
{
	chan_range(v, a->in)
		chan_send(a->out, v + 1);
	chan_close(a->out);
}

static void *relay_in_thread(void *arg)
{
	relay(arg);
	return NULL;
}

TEST(line_161_a_value_goes_round_goroutines_and_threads)
{
	struct relay first = {chan_make(int, 0), chan_make(int, 0)};
	struct relay second = {first.out, chan_make(int, 0)};
	struct relay third = {second.out, chan_make(int, 0)};
	int n = test_count(100000);
	pthread_t thread;

	/* The thread is made by a goroutine that goes on: at no time is there one that leat does not know. */
	CHECK_EQ(pthread_create(&thread, NULL, relay_in_thread, &second), 0);
	go_as(relay, relay, first.in, first.out);
	go_as(relay, relay, third.in, third.out);
	test_parked(3);
	for (int i = 0; i < n; i++) {
		chan_send(first.in, i);
		CHECK_EQ(chan_recv(third.out), i + 3);
	}
	chan_close(first.in);
	CHECK(!chan_recv_ok(third.out, &(int){0}));
	pthread_join(thread, NULL);
	chan_free(first.in);
	chan_free(first.out);
	chan_free(second.out);
	chan_free(third.out);
}

/* Timers: the last goroutine sleeps, and the first timer is for it. */
static void sleeps(void)
{
	leat_sleep(random_below(20000));
}

TEST(line_158_the_last_ones_sleep)
{
	int n = test_count(2000);

	for (int i = 0; i < n; i++) {
		scope(s, NULL);
		leat_scope_go(s, (void (*)(void *))(void (*)(void))sleeps, NULL, 0);
		CHECK_EQ(scope_wait(s), 0);
	}
}

TEST_MAIN
