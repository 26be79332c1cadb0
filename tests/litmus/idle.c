/* SPDX-License-Identifier: MIT */
/*
 * Goal: line 17, no lost wake-up: a million cycles of going idle and being woken, at every number of
 * processors, never stand still.
 *
 * Method: one goroutine wakes many, which answer; between two rounds nothing is runnable but that one, so
 * processors go idle and are woken all the time.  Wakers are goroutines, plain threads and timers.
 */
#include "litmus.h"

enum { WORKERS = 8 };

static leat_chan *answers;
static char nothing[1];

struct worker {
	leat_chan *in;
};

static void worker(struct worker *w)
{
	while (leat_chan_recv(w->in, NULL))
		leat_chan_send(answers, nothing);
	leat_chan_send(answers, nothing);
}

static leat_chan *in[WORKERS];

static void begin(int workers)
{
	answers = leat_chan_make(1, 0);
	for (int i = 0; i < workers; i++) {
		in[i] = leat_chan_make(1, 0);
		go(worker, .in = in[i]);
	}
}

static void rounds(int n, int workers)
{
	uint64_t random = 7;

	for (int i = 0; i < n; i++) {
		for (int k = 0; k < workers; k++)
			leat_chan_send(in[k], nothing);
		for (int k = 0; k < workers; k++)
			leat_chan_recv(answers, NULL);
		/* Sometimes long enough for the others to give up their search. */
		litmus_dither(&random, i % 16 ? 100 : 200000);
		litmus_round();
	}
}

static void end(int workers)
{
	for (int i = 0; i < workers; i++)
		leat_chan_close(in[i]);
	for (int i = 0; i < workers; i++)
		leat_chan_recv(answers, NULL);
	for (int i = 0; i < workers; i++)
		leat_chan_free(in[i]);
	leat_chan_free(answers);
	test_goroutines(1);
}

TEST(line_17_goroutine_wakes_others)
{
	for (int workers = 1; workers <= WORKERS; workers *= 2) {
		begin(workers);
		rounds(test_count(250000 / workers), workers);
		end(workers);
	}
}

static void *rounds_of_thread(void *n)
{
	rounds((int)(intptr_t)n, WORKERS);
	return NULL;
}

TEST(line_17_thread_wakes_goroutines)
{
	pthread_t thread;

	begin(WORKERS);
	thread = litmus_thread(rounds_of_thread, (void *)(intptr_t)test_count(20000));
	/* Out of the way, in the kernel: the processors are free for the workers. */
	pthread_join(thread, NULL);
	end(WORKERS);
}

static void sleepy(struct worker *w)
{
	while (leat_chan_recv(w->in, NULL)) {
		leat_sleep(LEAT_MICROSECOND);
		leat_chan_send(answers, nothing);
	}
	leat_chan_send(answers, nothing);
}

TEST(line_17_timers_wake_goroutines)
{
	answers = leat_chan_make(1, 0);
	for (int i = 0; i < WORKERS; i++) {
		in[i] = leat_chan_make(1, 0);
		go_as(worker, sleepy, .in = in[i]);
	}
	rounds(test_count(20000), WORKERS);
	end(WORKERS);
}

TEST_MAIN
