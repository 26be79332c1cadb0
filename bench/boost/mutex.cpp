/* SPDX-License-Identifier: MIT */
/*
 * mutex: lock, add one, unlock, with nobody else about.
 */
#include "fibers.hpp"

enum { TIMES = 20000000, ALL_TIMES = 100000000 };

static fibers::mutex lock;
static int64_t counter;

static void run()
{
	int times = bench_count(TIMES, ALL_TIMES);

	int64_t start = bench_now();
	for (int i = 0; i < times; i++) {
		lock.lock();
		counter++;
		lock.unlock();
	}
	bench_ns_each("mutex", start, times);
	bench_work(times, "lock and unlock");
	bench_check(counter, times, "the counter");
}

int main()
{
	fibers_run(run);
}
