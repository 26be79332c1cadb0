/* SPDX-License-Identifier: MIT */
/*
 * spawn: start a fiber with a default stack, run it, join it; in batches of 1,000.
 */
#include "fibers.hpp"

enum { BATCHES = 2000, ALL_BATCHES = 10000, BATCH = 1000 };

static void worker(int *slot)
{
	*slot = 1;
}

static void run()
{
	static int slots[BATCH];
	static fibers::fiber batch[BATCH];
	int batches = bench_count(BATCHES, ALL_BATCHES);
	int64_t ran = 0;

	int64_t start = bench_now();
	for (int b = 0; b < batches; b++) {
		for (int i = 0; i < BATCH; i++)
			batch[i] = fibers::fiber(worker, &slots[i]);
		for (int i = 0; i < BATCH; i++) {
			batch[i].join();
			ran += slots[i];
			slots[i] = 0;
		}
	}
	bench_ns_each("spawn", start, (double)batches * BATCH);
	bench_work((int64_t)batches * BATCH, "fibers");
	bench_check(ran, (int64_t)batches * BATCH, "the number of fibers run");
}

int main()
{
	fibers_run(run);
}
