/* SPDX-License-Identifier: MIT */
/*
 * yield: what it costs a processor to switch threads by sched_yield; ../leat/yield.c says why there
 * are rounds.  The threads are pinned, as many to each processor.
 */
#include "threads.h"

#include <stdatomic.h>

#ifndef YIELDERS /* yield8.c */
#define ROW      "yield"
#define ROUND    50000
#define YIELDERS (2 * bench_procs())
#endif

enum { ROUNDS = 10 };

static _Atomic int64_t arrived;
static int yielders;

struct yielder {
	pthread_t thread;
	int cpu;
};

static void *yielder(void *arg)
{
	threads_pin(((struct yielder *)arg)->cpu);
	for (int64_t r = 1; r <= ROUNDS; r++) {
		for (int i = 0; i < ROUND; i++)
			sched_yield();
		atomic_fetch_add(&arrived, 1);
		while (atomic_load(&arrived) < r * yielders)
			sched_yield();
	}
	return NULL;
}

int main(void)
{
	yielders = YIELDERS;

	struct yielder *all = calloc((size_t)yielders, sizeof *all);
	double per_proc = (double)yielders / bench_procs();

	if (!all)
		threads_must(ENOMEM, "yielders");
	for (int i = 0; i < yielders; i++)
		all[i].cpu = threads_cpu(i % bench_procs());
	int64_t start = bench_now();
	for (int i = 0; i < yielders; i++)
		all[i].thread = threads_start(yielder, &all[i]);
	for (int i = 0; i < yielders; i++)
		pthread_join(all[i].thread, NULL);
	bench_ns_each(ROW, start, per_proc * ROUNDS * ROUND);
	bench_work((int64_t)(per_proc * ROUNDS * ROUND), "yields per processor");
	bench_check(arrived, (int64_t)yielders * ROUNDS, "the number of rounds done");
	free(all);
	return 0;
}
