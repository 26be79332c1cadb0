/* SPDX-License-Identifier: MIT */
/*
 * defer: call a function that defers a call, which adds one, and returns.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 200000000 };

__attribute__((noinline)) static void add(int64_t *n)
{
	++*n;
}

__attribute__((noinline)) static void deferring(int64_t *n)
{
	defer(add, n);
}

int main(void)
{
	int64_t counter = 0;

	leat_procs(bench_procs());
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++)
		deferring(&counter);
	bench_ns_each("defer", start, TIMES);
	bench_work(TIMES, "deferred calls");
	bench_check(counter, TIMES, "the counter");
	return 0;
}
