/* SPDX-License-Identifier: MIT */
/*
 * yield: what it costs a processor to switch from one goroutine to another.
 *
 * Two yielders per processor, and rounds: who has done the yields of a round goes on yielding,
 * uncounted, until all have.  Without the rounds a scheduler that leaves one yielder alone on a
 * processor would be praised for not switching.  The figure is the time of one processor per yield
 * (wall time x processors / yields), so that figures for different processor counts compare.
 */
#include "../bench.h"

#include <leat.h>
#include <stdatomic.h>

#ifndef YIELDERS /* yield8.c */
#define ROW      "yield"
#define ROUND    100000
#define YIELDERS (2 * bench_procs())
#endif

enum { ROUNDS = 100 };

static _Atomic int64_t arrived;

struct yielder {
	int yielders;
	leat_waitgroup *done;
};

static void yielder(struct yielder *a)
{
	for (int64_t r = 1; r <= ROUNDS; r++) {
		for (int i = 0; i < ROUND; i++)
			leat_yield();
		atomic_fetch_add(&arrived, 1);
		while (atomic_load(&arrived) < r * a->yielders)
			leat_yield();
	}
	leat_waitgroup_done(a->done);
}

int main(void)
{
	int yielders = YIELDERS;
	double per_proc = (double)yielders / bench_procs();
	leat_waitgroup done = {0};

	leat_procs(bench_procs());
	leat_waitgroup_add(&done, yielders);
	int64_t start = bench_now();
	for (int i = 0; i < yielders; i++)
		go(yielder, .yielders = yielders, .done = &done);
	leat_waitgroup_wait(&done);
	bench_ns_each(ROW, start, per_proc * ROUNDS * ROUND);
	bench_work((int64_t)(per_proc * ROUNDS * ROUND), "yields per processor");
	bench_check(arrived, (int64_t)yielders * ROUNDS, "the number of rounds done");
	return 0;
}
