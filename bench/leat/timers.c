/* SPDX-License-Identifier: MIT */
/*
 * timers: 1,000,000 timers between 1 and 2 s from now.
 *
 *	timers         with a function each, that counts: processor time for each, from making it until its
 *	               function has run
 *	timers_stop    timers with a function that are made, reset and stopped before they fire
 */
#include "../bench.h"

#include <leat.h>
#include <stdatomic.h>

enum { TIMERS = 1000000 };

static _Atomic int64_t fired;
static leat_waitgroup left;

/* So many nanoseconds, from 1 to 2 s, in no order. */
static int64_t span(int i)
{
	return LEAT_SECOND + (int64_t)i * 7919 % TIMERS * (LEAT_SECOND / TIMERS);
}

static void fire(void *arg)
{
	(void)arg;
	atomic_fetch_add_explicit(&fired, 1, memory_order_relaxed);
	leat_waitgroup_done(&left);
}

int main(void)
{
	static leat_timer *timers[TIMERS];
	int64_t start;

	bench_needs_memory(INT64_C(1000000000));
	leat_procs(bench_procs());

	start = bench_used();
	leat_waitgroup_add(&left, TIMERS);
	for (int i = 0; i < TIMERS; i++)
		timers[i] = leat_after_func(span(i), fire, NULL);
	leat_waitgroup_wait(&left);
	bench_used_each("timers", start, TIMERS);
	bench_check(fired, TIMERS, "the number of functions that ran");
	for (int i = 0; i < TIMERS; i++)
		leat_timer_free(timers[i]);

	start = bench_used();
	for (int i = 0; i < TIMERS; i++)
		timers[i] = leat_after_func(LEAT_HOUR + span(i), fire, NULL);
	for (int i = 0; i < TIMERS; i++)
		leat_timer_reset(timers[i], LEAT_HOUR + span(TIMERS - i));
	for (int i = 0; i < TIMERS; i++)
		leat_timer_stop(timers[i]);
	for (int i = 0; i < TIMERS; i++)
		leat_timer_free(timers[i]);
	bench_used_each("timers_stop", start, TIMERS);
	bench_check(fired, TIMERS, "the number of functions that ran");
	bench_work(2 * TIMERS, "timers");
	return 0;
}
