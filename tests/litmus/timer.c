/* SPDX-License-Identifier: MIT */
/*
 * Goal: stop, reset, receive and going off are one step each, whatever meets whatever.
 *
 * Method: each time that a timer is set must end in exactly one way: its value was received (its function
 * was started), or the next stop or reset says that it was active.  So over any number of racing
 * goroutines and threads
 *
 *	settings == receives + stops and resets that returned true
 *
 * once the timer has been stopped.  A value that is received twice, or that survives a stop (#69312,
 * #80760 of Go), or a result that says active of what was received, breaks the sum.  The times are about
 * as long as the operations, so that they meet.
 */
#include "litmus.h"

enum { WORKERS = 6, THREADS = 2 };

static leat_timer *timer;
static _Atomic int64_t settings, ends;
static _Atomic uint32_t quit;
static leat_waitgroup workers;
static chan(leat_empty) leave;

/* One of: reset, stop, look, wait with others; rarely the timer is long. */
static void act(uint64_t *random, recv_chan(int64_t) c)
{
	uint32_t dice = litmus_random(random) % 16;
	int64_t ns = litmus_random(random) % 8000;

	if (dice < 5) {
		atomic_fetch_add(&settings, 1);
		if (leat_timer_reset(timer, dice == 0 ? LEAT_HOUR : dice == 1 ? 0 : ns))
			atomic_fetch_add(&ends, 1);
	} else if (dice < 7) {
		if (leat_timer_stop(timer))
			atomic_fetch_add(&ends, 1);
	} else if (!c) {
		leat_yield();
	} else if (dice < 10) {
		int64_t v;

		if (chan_try_recv(c, &v, NULL)) {
			CHECK(v <= leat_now());
			atomic_fetch_add(&ends, 1);
		}
	} else {
		chan_select {
			case_recv(c, v) {
				CHECK(v <= leat_now());
				atomic_fetch_add(&ends, 1);
			}
			case_recv(leave) {
			}
			case_timeout(ns) {
			}
		}
	}
	litmus_dither(random, 60);
	litmus_round();
}

struct worker {
	int seed;
	recv_chan(int64_t) c;
};

static void worker(struct worker *w)
{
	uint64_t random = (uint64_t)w->seed + 1;

	while (!atomic_load(&quit))
		act(&random, w->c);
	leat_waitgroup_done(&workers);
}

/* Receives as if for ever: until all have left. */
static void waiter(struct worker *w)
{
	for (bool go_on = true; go_on;) {
		chan_select {
			case_recv(w->c)
				atomic_fetch_add(&ends, 1);
			case_recv(leave)
				go_on = false;
		}
	}
	leat_waitgroup_done(&workers);
}

static void *thread_main(void *arg)
{
	struct worker w = {.seed = 100 + (int)(intptr_t)arg, .c = leat_timer_chan(timer)};

	worker(&w);
	return NULL;
}

/* Everybody at the timer until it was set so often. */
static void race(int rounds, bool waits)
{
	recv_chan(int64_t) c = leat_timer_chan(timer);
	pthread_t threads[THREADS];

	atomic_store(&quit, 0);
	leave = chan_make(leat_empty, 0);
	leat_waitgroup_add(&workers, WORKERS + THREADS + 2 * waits);
	for (int i = 0; i < WORKERS; i++)
		go(worker, i, c);
	for (int i = 0; i < 2 * waits; i++)
		go_as(worker, waiter, i, c);
	for (int i = 0; i < THREADS; i++)
		threads[i] = litmus_thread(thread_main, (void *)(intptr_t)i);
	while (atomic_load(&settings) < rounds)
		leat_sleep(LEAT_MILLISECOND);
	atomic_store(&quit, 1);
	chan_close(leave);
	leat_waitgroup_wait(&workers);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (leat_timer_stop(timer))
		atomic_fetch_add(&ends, 1);
	test_goroutines(1);
	chan_free(leave);
}

TEST(line_143_line_144_each_setting_ends_in_one_way)
{
	for (int waits = 0; waits < 2; waits++) {
		timer = leat_timer_new(LEAT_MICROSECOND);
		atomic_store(&settings, 1);
		atomic_store(&ends, 0);
		race(test_count(1000000), waits);
		CHECK_EQ(atomic_load(&ends), atomic_load(&settings));
		CHECK(!chan_try_recv(leat_timer_chan(timer), NULL, NULL));
		leat_timer_free(timer);
	}
}

static void fire(void *arg)
{
	(void)arg;
	atomic_fetch_add(&ends, 1);
}

TEST(line_144_each_setting_of_a_function_ends_in_one_way)
{
	atomic_store(&settings, 1);
	atomic_store(&ends, 0);
	timer = leat_after_func(LEAT_MICROSECOND, fire, NULL);
	race(test_count(1000000), false);
	CHECK_EQ(atomic_load(&ends), atomic_load(&settings));
	leat_timer_free(timer);
}

/* Freed while it goes off, and while the one that was woken has yet to say that it is. */
struct short_lived {
	uint64_t random;
	int rounds;
};

static void short_lived(struct short_lived *s)
{
	for (int i = 0; i < s->rounds; i++) {
		int64_t ns = litmus_random(&s->random) % 3000;
		leat_timer *t = leat_timer_new(ns);
		int got = 0;

		chan_select {
			case_recv(leat_timer_chan(t))
				got = 1;
			case_timeout((int64_t)(litmus_random(&s->random) % 3000)) {
			}
		}
		litmus_dither(&s->random, 300);
		CHECK_EQ(leat_timer_stop(t), !got);
		leat_timer_free(t);
		litmus_round();
	}
	leat_waitgroup_done(&workers);
}

TEST(freed_while_it_goes_off)
{
	leat_waitgroup_add(&workers, WORKERS);
	for (int i = 0; i < WORKERS; i++)
		go(short_lived, (uint64_t)i + 1, test_count(20000));
	leat_waitgroup_wait(&workers);
}

TEST_MAIN
