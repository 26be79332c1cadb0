/* SPDX-License-Identifier: MIT */
/*
 * coro: a generator is asked for the next of its values; the figure is per value.  By the continuations that
 * Boost.Fiber is made of, since those need no scheduler either.
 */
#include "../bench.h"

#include <boost/context/fiber.hpp>

enum { VALUES = 20000000 };

int main()
{
	namespace context = boost::context;
	int64_t value = 0, sum = 0;
	context::fiber c{[&value](context::fiber &&resumer) {
		for (int64_t i = 0;; i++) {
			value = i;
			resumer = std::move(resumer).resume();
		}
		return std::move(resumer);
	}};

	int64_t start = bench_now();
	for (int i = 0; i < VALUES; i++) {
		c = std::move(c).resume();
		sum += value;
	}
	bench_ns_each("coro", start, VALUES);
	bench_work(VALUES, "values");
	bench_check(sum, (int64_t)VALUES * (VALUES - 1) / 2, "the sum");
	return 0;
}
