/* SPDX-License-Identifier: MIT */
/*
 * parked2k: row parked with the smallest stacks, 2 KiB, which lie side by side without guards.
 *
 *	parked2k_rss      resident memory for each (VmRSS)
 *	parked2k_pte      page tables for each (VmPTE)
 *	parked2k_create   time for each, until the last has run
 *	parked2k_end      time for each, until all have been woken and ended
 */
#include "../bench.h"

#include <leat.h>

enum { GOROUTINES = 1000000 };

struct parker {
	recv_chan(leat_empty) never;
	leat_waitgroup *started;
};

static void parker(struct parker *a)
{
	leat_waitgroup_done(a->started);
	chan_recv(a->never);
}

int main(void)
{
	leat_go_opts small = {.stack_bytes = 2048};

	bench_needs_memory(INT64_C(3000000000));
	leat_procs(bench_procs());

	chan(leat_empty) never = chan_make(leat_empty, 0);
	leat_waitgroup started = {0};
	int64_t rss = bench_rss(), pte = bench_pte();

	int64_t start = bench_now();
	leat_waitgroup_add(&started, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		go_with(&small, parker, .never = chan_receiver(never), .started = &started);
	leat_waitgroup_wait(&started);
	bench_ns_each("parked2k_create", start, GOROUTINES);
	while (leat_num_parked() < GOROUTINES)
		leat_yield();
	bench_result("parked2k_rss", (double)(bench_rss() - rss) / GOROUTINES, "B");
	bench_result("parked2k_pte", (double)(bench_pte() - pte) / GOROUTINES, "B");
	bench_work(GOROUTINES, "goroutines");
	bench_check((int64_t)leat_num_goroutine(), GOROUTINES + 1, "the number of goroutines");

	start = bench_now();
	chan_close(never);
	while (leat_num_goroutine() > 1)
		leat_yield();
	bench_ns_each("parked2k_end", start, GOROUTINES);
	return 0;
}
