/* SPDX-License-Identifier: MIT */
/*
 * ring: 503 fibers in a ring of unbuffered channels pass one token on; the figure is per hop.
 *
 * The token is the number of hops left; who gets 0 tells main its place.
 */
#include "fibers.hpp"

enum { SIZE = 503, HOPS = 10000000 };

using channel = fibers::unbuffered_channel<int>;

static void member(int place, channel &in, channel &out, channel &last)
{
	for (;;) {
		int left = in.value_pop();

		if (left == 0) {
			last.push(place);
			return;
		}
		out.push(left - 1);
	}
}

static void run()
{
	static channel last, ring[SIZE];

	for (int i = 0; i < SIZE; i++)
		fibers::fiber(member, i, std::ref(ring[i]), std::ref(ring[(i + 1) % SIZE]), std::ref(last))
		    .detach();
	int64_t start = bench_now();
	ring[0].push(HOPS);
	int place = last.value_pop();
	bench_ns_each("ring", start, HOPS);
	bench_work(HOPS, "hops");
	bench_check(place, HOPS % SIZE, "the place of the last");
}

int main()
{
	fibers_run(run);
}
