/* SPDX-License-Identifier: MIT */
/*
 * chanmpmc: four senders and four receivers on one channel with room for 128 (for 127, as in
 * chanbuf); the figure is per element.
 */
#include "fibers.hpp"

enum { SENDERS = 4, RECEIVERS = 4, EACH = 8000000, SIZE = 128 };

using channel = fibers::buffered_channel<int>;

static void sender(channel &out)
{
	for (int i = 0; i < EACH; i++)
		out.push(i);
}

static void receiver(channel &in, int64_t &result)
{
	int64_t sum = 0;

	for (int v : in)
		sum += v;
	result = sum;
}

static void run()
{
	channel c(SIZE);
	std::vector<fibers::fiber> senders, receivers;
	int64_t results[RECEIVERS], sum = 0;

	int64_t start = bench_now();
	for (int i = 0; i < SENDERS; i++)
		senders.emplace_back(sender, std::ref(c));
	for (int64_t &result : results)
		receivers.emplace_back(receiver, std::ref(c), std::ref(result));
	for (fibers::fiber &f : senders)
		f.join();
	c.close();
	for (fibers::fiber &f : receivers)
		f.join();
	bench_ns_each("chanmpmc", start, (double)SENDERS * EACH);
	bench_work((int64_t)SENDERS * EACH, "elements");
	for (int64_t result : results)
		sum += result;
	bench_check(sum, SENDERS * ((int64_t)EACH * (EACH - 1) / 2), "the sum");
}

int main()
{
	fibers_run(run);
}
