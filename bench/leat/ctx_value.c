/* SPDX-License-Identifier: MIT */
/*
 * ctx_value: look a value up that stands 10 contexts above, each of which has a value of another key.
 */
#include "../bench.h"

#include <leat.h>

enum { DEPTH = 10, TIMES = 20000000 };

int main(void)
{
	static const leat_ctx_key keys[DEPTH];
	static int64_t values[DEPTH];
	leat_ctx *ctx[DEPTH];
	int64_t sum = 0;

	leat_procs(bench_procs());
	for (int i = 0; i < DEPTH; i++) {
		values[i] = i + 1;
		ctx[i] = leat_ctx_with_value(i ? ctx[i - 1] : leat_ctx_background(), &keys[i], &values[i]);
	}
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++)
		sum += *(int64_t *)leat_ctx_value(ctx[DEPTH - 1], &keys[0]);
	bench_ns_each("ctx_value", start, TIMES);
	bench_work(TIMES, "look-ups");
	bench_check(sum, TIMES, "the sum of the values");
	for (int i = DEPTH; i-- > 0;)
		leat_ctx_free(ctx[i]);
	return 0;
}
