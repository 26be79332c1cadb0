/* SPDX-License-Identifier: MIT */
/*
 * yield: what it costs a thread to switch from one fiber to another.  Two yielders per thread, and
 * rounds: who has done the yields of a round goes on yielding, uncounted, until all have.
 */
#include "fibers.hpp"

#include <atomic>

enum { ROUNDS = 100, ROUND = 100000, PER_PROC = 2 };

static std::atomic<int64_t> arrived;

static void yielder(int yielders)
{
	for (int64_t r = 1; r <= ROUNDS; r++) {
		for (int i = 0; i < ROUND; i++)
			boost::this_fiber::yield();
		arrived++;
		while (arrived < r * yielders)
			boost::this_fiber::yield();
	}
}

static void run()
{
	int yielders = PER_PROC * bench_procs();
	std::vector<fibers::fiber> all;

	int64_t start = bench_now();
	for (int i = 0; i < yielders; i++)
		all.emplace_back(yielder, yielders);
	for (fibers::fiber &f : all)
		f.join();
	bench_ns_each("yield", start, (double)PER_PROC * ROUNDS * ROUND);
	bench_work((int64_t)PER_PROC * ROUNDS * ROUND, "yields per processor");
	bench_check(arrived, (int64_t)yielders * ROUNDS, "the number of rounds done");
}

int main()
{
	fibers_run(run);
}
