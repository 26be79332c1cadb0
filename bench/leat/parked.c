/* SPDX-License-Identifier: MIT */
/*
 * parked: 1,000,000 goroutines with default stacks, each started, run and parked in a receive.
 *
 *	parked_rss      resident memory for each (VmRSS)
 *	parked_pte      page tables for each (VmPTE)
 *	parked_create   time for each, until the last has run: one that never ran has cost nothing
 *	parked_touch    the bound for parked_create: time to touch a page for the first time, at the
 *	                distance of leat's default stacks, with nothing else done
 */
#include "../bench.h"

#include <leat.h>
#include <sys/mman.h>

enum { GOROUTINES = 1000000, PAGES = 250000, STACK_DISTANCE = 256 << 10 };

struct parker {
	recv_chan(leat_empty) never;
	leat_waitgroup *started;
};

static void parker(struct parker *a)
{
	leat_waitgroup_done(a->started);
	chan_recv(a->never);
}

/* The time for each page, in nanoseconds. */
static double touch_pages(void)
{
	size_t bytes = (size_t)PAGES * STACK_DISTANCE;
	char *p = (char *)mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		fputs("no address space to touch pages in\n", stderr);
		exit(1);
	}
	madvise(p, bytes, MADV_NOHUGEPAGE);
	int64_t start = bench_now();
	for (size_t i = 0; i < PAGES; i++)
		*(volatile char *)(p + i * STACK_DISTANCE) = 1;
	double each = (double)(bench_now() - start) / PAGES;
	munmap(p, bytes);
	return each;
}

int main(void)
{
	bench_needs_memory(INT64_C(5500000000));
	double touch_ns = touch_pages();

	leat_procs(bench_procs());

	chan(leat_empty) never = chan_make(leat_empty, 0);
	leat_waitgroup started = {0};
	int64_t rss = bench_rss(), pte = bench_pte();

	int64_t start = bench_now();
	leat_waitgroup_add(&started, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		go(parker, .never = chan_receiver(never), .started = &started);
	leat_waitgroup_wait(&started);
	bench_ns_each("parked_create", start, GOROUTINES);
	while (leat_num_parked() < GOROUTINES)
		leat_yield();
	bench_result("parked_rss", (double)(bench_rss() - rss) / GOROUTINES, "B");
	bench_result("parked_pte", (double)(bench_pte() - pte) / GOROUTINES, "B");
	bench_result("parked_touch", touch_ns, "ns");
	bench_work(GOROUTINES, "goroutines");
	bench_check((int64_t)leat_num_goroutine(), GOROUTINES + 1, "the number of goroutines");
	return 0;
}
