/* SPDX-License-Identifier: MIT */
/*
 * once: ask, over and over, for something to be done once that has been done.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 100000000 };

static leat_once once;

static void count(void *calls)
{
	++*(int64_t *)calls;
}

int main(void)
{
	int64_t calls = 0;

	leat_procs(bench_procs());
	leat_once_do(&once, count, &calls);
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++)
		leat_once_do(&once, count, &calls);
	bench_ns_each("once", start, TIMES);
	bench_work(TIMES, "calls");
	bench_check(calls, 1, "how often it was done");
	return 0;
}
