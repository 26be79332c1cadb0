/* SPDX-License-Identifier: MIT */
/*
 * pingpong: a value there and back over two unbuffered channels; the figure is per round trip.
 *
 * Where the two fibers come to be on two threads that sleep in between, a trip takes some 10 us.
 */
#include "fibers.hpp"

enum { TRIPS = 500000, ALL_TRIPS = 5000000 };

using channel = fibers::unbuffered_channel<int>;

static void echo(channel &in, channel &out)
{
	for (int v : in)
		out.push(v + 1);
	out.close();
}

static void run()
{
	channel ping, pong;
	int trips = bench_count(TRIPS, ALL_TRIPS);
	int64_t sum = 0;

	int64_t start = bench_now();
	fibers::fiber echoing(echo, std::ref(ping), std::ref(pong));
	for (int i = 0; i < trips; i++) {
		ping.push(i);
		sum += pong.value_pop();
	}
	bench_ns_each("pingpong", start, trips);
	bench_work(trips, "round trips");
	bench_check(sum, (int64_t)trips * (trips + 1) / 2, "the sum");
	ping.close();
	echoing.join();
}

int main()
{
	fibers_run(run);
}
