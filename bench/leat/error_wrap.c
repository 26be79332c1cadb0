/* SPDX-License-Identifier: MIT */
/*
 * error_wrap: ten calls deep, wrap an error with a formatted message, a stack trace and the time; ask whether the
 * first one is in it, and free it.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 50000, DEPTH = 10 };

static LEAT_ERROR(first, -5, "first");
static LEAT_ERROR_TYPE(module);

__attribute__((noinline)) static const leat_error *down(int depth, int i)
{
	const leat_error *e;

	if (depth == 0)
		return leat_error_wrap(&first, &module, "attempt %d", i);
	e = down(depth - 1, i);
	__asm__ volatile("" : "+r"(e)); /* not the last thing it does */
	return e;
}

int main(void)
{
	int64_t sum = 0;
	size_t frames = 0;

	leat_procs(bench_procs());
	leat_error_free(down(DEPTH, 0)); /* loads the unwinder */
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++) {
		const leat_error *e = down(DEPTH, i);

		sum += leat_error_is(e, &first);
		leat_error_trace(e, &frames);
		leat_error_free(e);
	}
	bench_ns_each("error_wrap", start, TIMES);
	bench_work(TIMES, "errors");
	bench_check(sum, TIMES, "how many wrap the first one");
	bench_check(frames > DEPTH, 1, "the trace is whole");
	return 0;
}
