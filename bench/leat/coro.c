/* SPDX-License-Identifier: MIT */
/*
 * coro: a generator is asked for the next of its values; the figure is per value, a resume and a yield.
 *
 * One processor has all to do, whatever their number.
 */
#include "../bench.h"

#include <leat.h>

enum { VALUES = 20000000 };

static void numbers(coro(int64_t) c)
{
	for (int64_t i = 0;; i++)
		coro_yield(c, i);
}

int main(void)
{
	int64_t sum = 0, v;

	leat_procs(bench_procs());
	coro(int64_t) c = coro_make0(int64_t, numbers);
	int64_t start = bench_now();
	for (int i = 0; i < VALUES; i++)
		if (coro_next(c, &v))
			sum += v;
	bench_ns_each("coro", start, VALUES);
	bench_work(VALUES, "values");
	bench_check(sum, (int64_t)VALUES * (VALUES - 1) / 2, "the sum");
	coro_free(c);
	return 0;
}
