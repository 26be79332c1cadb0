/* SPDX-License-Identifier: MIT */
/*
 * chanbuf: one sender, one receiver, a channel with room for 128; the figure is per element.
 *
 * The channel has room for one less than its size, which must be a power of two: for 127.
 */
#include "fibers.hpp"

enum { ELEMENTS = 40000000, SIZE = 128 };

using channel = fibers::buffered_channel<int>;

static void sender(channel &out)
{
	for (int i = 0; i < ELEMENTS; i++)
		out.push(i);
	out.close();
}

static void run()
{
	channel c(SIZE);
	int64_t sum = 0;

	int64_t start = bench_now();
	fibers::fiber sending(sender, std::ref(c));
	for (int v : c)
		sum += v;
	bench_ns_each("chanbuf", start, ELEMENTS);
	bench_work(ELEMENTS, "elements");
	bench_check(sum, (int64_t)ELEMENTS * (ELEMENTS - 1) / 2, "the sum");
	sending.join();
}

int main()
{
	fibers_run(run);
}
