/* SPDX-License-Identifier: MIT */
/*
 * spawn: start a goroutine, run it, join it; in batches of 1,000 under one wait group.
 *
 * Each goroutine leaves its mark in a slot of its own, so that a join that returns early is
 * noticed.
 */
#include "../bench.h"

#include <leat.h>

enum { BATCHES = 10000, BATCH = 1000 };

struct worker {
	leat_waitgroup *done;
	int *slot;
};

static void worker(struct worker *a)
{
	*a->slot = 1;
	leat_waitgroup_done(a->done);
}

int main(void)
{
	static int slots[BATCH];
	leat_waitgroup done = {0};
	int64_t ran = 0;

	leat_procs(bench_procs());
	int64_t start = bench_now();
	for (int b = 0; b < BATCHES; b++) {
		leat_waitgroup_add(&done, BATCH);
		for (int i = 0; i < BATCH; i++)
			go(worker, .done = &done, .slot = &slots[i]);
		leat_waitgroup_wait(&done);
		for (int i = 0; i < BATCH; i++) {
			ran += slots[i];
			slots[i] = 0;
		}
	}
	bench_ns_each("spawn", start, (double)BATCHES * BATCH);
	bench_work((int64_t)BATCHES * BATCH, "goroutines");
	bench_check(ran, (int64_t)BATCHES * BATCH, "the number of goroutines run");
	return 0;
}
