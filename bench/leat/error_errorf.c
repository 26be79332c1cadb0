/* SPDX-License-Identifier: MIT */
/*
 * error_errorf: wrap an error with a formatted message, without a trace, ask whether the first one is in it, and
 * free it.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 500000 };

static LEAT_ERROR(first, -5, "first");

int main(void)
{
	int64_t sum = 0;

	leat_procs(bench_procs());
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++) {
		const leat_error *e = leat_errorf(&first, "attempt %d", i);

		sum += leat_error_is(e, &first);
		leat_error_free(e);
	}
	bench_ns_each("error_errorf", start, TIMES);
	bench_work(TIMES, "errors");
	bench_check(sum, TIMES, "how many wrap the first one");
	return 0;
}
