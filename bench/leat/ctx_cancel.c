/* SPDX-License-Identifier: MIT */
/*
 * ctx_cancel: cancel a context that has 10,000 children.  They are made, and freed, outside of the time that
 * counts; nobody waits for them.
 */
#include "../bench.h"

#include <leat.h>

enum { CHILDREN = 10000, ROUNDS = 100 };

int main(void)
{
	static leat_ctx *children[CHILDREN];
	int64_t spent = 0, done = 0;

	leat_procs(bench_procs());
	for (int round = 0; round < ROUNDS; round++) {
		leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
		int64_t start;

		for (int i = 0; i < CHILDREN; i++)
			children[i] = leat_ctx_with_cancel(parent);
		start = bench_now();
		leat_ctx_cancel(parent);
		spent += bench_now() - start;
		for (int i = 0; i < CHILDREN; i++) {
			done += leat_ctx_err(children[i]) != 0;
			leat_ctx_free(children[i]);
		}
		leat_ctx_free(parent);
	}
	bench_result("ctx_cancel", (double)spent / 1e3 / ROUNDS, "us");
	bench_work(ROUNDS, "cancels of 10000 children");
	bench_check(done, (int64_t)ROUNDS * CHILDREN, "children that are done");
	return 0;
}
