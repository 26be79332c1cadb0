/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 notsan env:ASAN_OPTIONS=intercept_tls_get_addr=0 */
/*
 * Goal: where threads are as few as can be nobody who could run waits for ever.
 * Method: a program with a limit of one thread, later one more than there are processors, in which main
 * yields, or talks to another goroutine all the time, beside new goroutines, some that yield and some
 * that compute.  (As to ThreadSanitizer: thread_limit.c.)
 */
#include "test.h"

#include <stdatomic.h>

static atomic_bool stop;

struct counted {
	leat_waitgroup *wg;
	atomic_long *turns;
	bool yields;
};

static void counted(struct counted *a)
{
	while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
		atomic_fetch_add_explicit(a->turns, 1, memory_order_relaxed);
		if (a->yields)
			leat_yield();
	}
	leat_waitgroup_done(a->wg);
}

static void once(struct counted *a)
{
	atomic_fetch_add(a->turns, 1);
	leat_waitgroup_done(a->wg);
}

struct answer {
	recv_chan(int) in;
	send_chan(int) out;
};

static void answer(struct answer *a)
{
	chan_range(n, a->in)
		chan_send(a->out, n);
	chan_close(a->out);
}

TEST(line_32_one_thread_and_main_yields)
{
	leat_waitgroup wg = {0};
	atomic_long turns = 0;

	CHECK_EQ(leat_max_threads(1), 10000);
	for (int i = 0; i < 100; i++) {
		leat_waitgroup_add(&wg, 1);
		go_as(counted, once, &wg, &turns);
		while (atomic_load(&turns) == i)
			leat_yield();
	}
	leat_waitgroup_wait(&wg);
}

struct pair {
	chan(int) in, out;
};

/* Once, and until each of n counters has reached ten. */
static void talk(const struct pair *c, const atomic_long *turns, int n)
{
	int seen = 0;

	do {
		chan_send(c->in, seen);
		CHECK_EQ(chan_recv(c->out), seen);
		while (seen < n && atomic_load(&turns[seen]) >= 10)
			seen++;
	} while (seen < n);
}

/* Main and a partner talk, beside so many that yield, and then one that computes, too.  (Where somebody
   computes on the last thread but one, goroutines that have not started wait.) */
static void talk_beside(int yielding, bool hog)
{
	struct pair c = {chan_make(int, 0), chan_make(int, 0)};
	leat_waitgroup wg = {0};
	atomic_long turns[8] = {0};

	atomic_store(&stop, false);
	leat_waitgroup_add(&wg, yielding + hog);
	go(answer, chan_receiver(c.in), chan_sender(c.out));
	for (int i = 0; i < yielding; i++)
		go(counted, &wg, &turns[i], true);
	talk(&c, turns, yielding);
	if (hog) {
		go(counted, &wg, &turns[yielding]);
		talk(&c, turns, yielding + 1);
		for (int i = 0; i < yielding; i++)
			atomic_store(&turns[i], 0);
		talk(&c, turns, yielding);
	}
	atomic_store(&stop, true);
	leat_waitgroup_wait(&wg);
	chan_close(c.in);
	CHECK_EQ(chan_recv(c.out), 0);
	test_goroutines(1);
	chan_free(c.in);
	chan_free(c.out);
}

TEST(line_32_one_thread_and_two_that_talk)
{
	talk_beside(3, false);
}

TEST(line_32_two_that_talk_beside_one_that_computes)
{
	leat_max_threads(leat_procs(0) + 1);
	for (int i = 0; i < 3; i++)
		talk_beside(i, true);
}

TEST_MAIN
