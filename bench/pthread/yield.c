/* SPDX-License-Identifier: MIT */
/*
 * yield: what it costs a processor to switch threads by sched_yield; ../leat/yield.c says why there
 * are rounds.  The threads are pinned, two to a processor.
 */
#include "threads.h"

#include <stdatomic.h>

enum { ROUNDS = 10, ROUND = 50000, PER_PROC = 2 };

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
	yielders = PER_PROC * bench_procs();

	struct yielder *all = calloc((size_t)yielders, sizeof *all);

	if (!all)
		threads_must(ENOMEM, "yielders");
	for (int i = 0; i < yielders; i++)
		all[i].cpu = threads_cpu(i / PER_PROC);
	int64_t start = bench_now();
	for (int i = 0; i < yielders; i++)
		all[i].thread = threads_start(yielder, &all[i]);
	for (int i = 0; i < yielders; i++)
		pthread_join(all[i].thread, NULL);
	bench_ns_each("yield", start, (double)PER_PROC * ROUNDS * ROUND);
	bench_work((int64_t)PER_PROC * ROUNDS * ROUND, "yields per processor");
	bench_check(arrived, (int64_t)yielders * ROUNDS, "the number of rounds done");
	free(all);
	return 0;
}
