/* SPDX-License-Identifier: MIT */
/*
 * parked: 100,000 fibers (1,000,000 under BENCH_FULL) with default stacks, each started, run and
 * parked in a receive.
 *
 *	parked_rss      resident memory for each (VmRSS)
 *	parked_pte      page tables for each (VmPTE)
 *	parked_create   time for each, until the last has run
 *
 * Boost's default stacks are 128 KiB from malloc, without a guard page.
 */
#include "fibers.hpp"

#include <atomic>

enum { FIBERS = 100000, ALL_FIBERS = 1000000, FIBER_BYTES = 10000 };

using channel = fibers::unbuffered_channel<bool>;

static std::atomic<int> started;

static void parker(channel &never)
{
	started++;
	never.value_pop();
}

static void run()
{
	static channel never;
	int count = bench_count(FIBERS, ALL_FIBERS);

	bench_needs_memory((int64_t)count * FIBER_BYTES);
	int64_t rss = bench_rss(), pte = bench_pte();

	int64_t start = bench_now();
	for (int i = 0; i < count; i++)
		fibers::fiber(parker, std::ref(never)).detach();
	while (started < count)
		boost::this_fiber::yield();
	bench_ns_each("parked_create", start, count);
	bench_result("parked_rss", (double)(bench_rss() - rss) / count, "B");
	bench_result("parked_pte", (double)(bench_pte() - pte) / count, "B");
	bench_work(count, "fibers");
	bench_check(started, count, "the number of fibers");
}

int main()
{
	fibers_run(run);
}
