/* SPDX-License-Identifier: MIT */
/*
 * spawn: create a thread, run it, join it; in batches of 1,000.
 */
#include "threads.h"

enum { BATCHES = 20, BATCH = 1000 };

static void *worker(void *slot)
{
	*(int *)slot = 1;
	return NULL;
}

int main(void)
{
	static int slots[BATCH];
	static pthread_t threads[BATCH];
	int64_t ran = 0;

	threads_limit();
	int64_t start = bench_now();
	for (int b = 0; b < BATCHES; b++) {
		for (int i = 0; i < BATCH; i++)
			threads[i] = threads_start(worker, &slots[i]);
		for (int i = 0; i < BATCH; i++) {
			pthread_join(threads[i], NULL);
			ran += slots[i];
			slots[i] = 0;
		}
	}
	bench_ns_each("spawn", start, (double)BATCHES * BATCH);
	bench_work((int64_t)BATCHES * BATCH, "threads");
	bench_check(ran, (int64_t)BATCHES * BATCH, "the number of threads run");
	return 0;
}
