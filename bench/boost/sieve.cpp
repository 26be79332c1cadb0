/* SPDX-License-Identifier: MIT */
/*
 * sieve: the first 4,000 primes out of a chain of filters, a fiber and an unbuffered channel per
 * prime; the figure is the time of the whole.
 */
#include "fibers.hpp"

enum { PRIMES = 4000, LAST_PRIME = 37813 };

using channel = fibers::unbuffered_channel<int32_t>;

static void count(channel &out)
{
	for (int32_t i = 2;; i++)
		out.push(i);
}

static void filter(channel &in, channel &out, int32_t prime)
{
	for (int32_t v : in)
		if (v % prime != 0)
			out.push(v);
}

static void run()
{
	static channel chain[PRIMES + 1];
	int32_t prime = 0;

	int64_t start = bench_now();
	fibers::fiber(count, std::ref(chain[0])).detach();
	for (int i = 0; i < PRIMES; i++) {
		prime = chain[i].value_pop();
		fibers::fiber(filter, std::ref(chain[i]), std::ref(chain[i + 1]), prime).detach();
	}
	bench_result("sieve", (double)(bench_now() - start) / 1e6, "ms");
	bench_work(PRIMES, "primes");
	bench_check(prime, LAST_PRIME, "the last prime");
}

int main()
{
	fibers_run(run);
}
