/* SPDX-License-Identifier: MIT */
/*
 * panic: panic with a text three calls deep, each of which has deferred a call, and recover.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 5000000, DEPTH = 3 };

static int64_t deferred;

static void add(int64_t *n)
{
	++*n;
}

__attribute__((noinline)) static void innermost(void)
{
	defer(add, &deferred);
	leat_panic("recovered");
}

__attribute__((noinline)) static void middle(void)
{
	defer(add, &deferred);
	innermost();
}

__attribute__((noinline)) static void calls(void *unused)
{
	(void)unused;
	defer(add, &deferred);
	middle();
}

int main(void)
{
	int64_t caught = 0;

	leat_procs(bench_procs());
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++) {
		leat_panic_info info;

		caught += leat_catch(calls, NULL, &info);
	}
	bench_ns_each("panic", start, TIMES);
	bench_work(TIMES, "panics");
	bench_check(caught, TIMES, "the panics that were caught");
	bench_check(deferred, (int64_t)TIMES * DEPTH, "the deferred calls");
	return 0;
}
