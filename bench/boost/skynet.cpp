/* SPDX-License-Identifier: MIT */
/*
 * skynet: a fiber starts ten, each of which starts ten, five levels down to 100,000 leaves (all
 * 1,000,000 under BENCH_FULL); the sums of their numbers come back up, over an unbuffered channel
 * per parent.  The figure is the time of the whole.
 *
 * Fibers run in the order in which they were started, so that nearly all of them exist at once,
 * each with two pages of its stack in use.  A channel has an owner per user: its last sender may
 * still be inside push() when the receiver already has the value and leaves.
 */
#include "fibers.hpp"

#include <memory>

enum { LEAVES = 100000, ALL_LEAVES = 1000000, CHILDREN = 10, FIBER_BYTES = 10000 };

using channel = fibers::unbuffered_channel<int64_t>;

static void node(std::shared_ptr<channel> up, int64_t first, int64_t leaves)
{
	if (leaves == 1) {
		up->push(first);
		return;
	}

	auto sums = std::make_shared<channel>();
	int64_t each = leaves / CHILDREN, sum = 0;

	for (int i = 0; i < CHILDREN; i++)
		fibers::fiber(node, sums, first + i * each, each).detach();
	for (int i = 0; i < CHILDREN; i++)
		sum += sums->value_pop();
	up->push(sum);
}

static void run()
{
	int leaves = bench_count(LEAVES, ALL_LEAVES);
	bench_needs_memory((int64_t)leaves * 10 / 9 * FIBER_BYTES);

	auto top = std::make_shared<channel>();

	int64_t start = bench_now();
	fibers::fiber(node, top, 0, leaves).detach();
	int64_t sum = top->value_pop();
	bench_result("skynet", (double)(bench_now() - start) / 1e6, "ms");
	bench_work(leaves, "leaves");
	bench_check(sum, (int64_t)leaves * (leaves - 1) / 2, "the sum");
}

int main()
{
	fibers_run(run);
}
