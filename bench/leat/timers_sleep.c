/* SPDX-License-Identifier: MIT */
/*
 * timers_sleep: 1,000,000 goroutines that sleep, between 1 and 2 s; processor time for each, from
 * starting one until it has ended.  Each touches a stack of its own, which is most of it.
 */
#include "../bench.h"

#include <leat.h>

enum { SLEEPERS = 1000000 };

static leat_waitgroup left;

/* So many nanoseconds, from 1 to 2 s, in no order. */
static int64_t span(int i)
{
	return LEAT_SECOND + (int64_t)i * 7919 % SLEEPERS * (LEAT_SECOND / SLEEPERS);
}

struct sleeper {
	int64_t ns;
};

static void sleeper(struct sleeper *a)
{
	leat_sleep(a->ns);
	leat_waitgroup_done(&left);
}

int main(void)
{
	bench_needs_memory(INT64_C(5500000000));
	leat_procs(bench_procs());

	int64_t start = bench_used();
	leat_waitgroup_add(&left, SLEEPERS);
	for (int i = 0; i < SLEEPERS; i++)
		go(sleeper, span(i));
	leat_waitgroup_wait(&left);
	bench_used_each("timers_sleep", start, SLEEPERS);
	bench_work(SLEEPERS, "sleepers");
	return 0;
}
