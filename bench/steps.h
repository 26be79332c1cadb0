/* SPDX-License-Identifier: MIT */
/*
 * Work of a known length that touches no memory, the same in every language; bench/go/bench.go has it,
 * too.
 */
#ifndef BENCH_STEPS_H
#define BENCH_STEPS_H

#include "bench.h"

enum { STEPS_PER_US = 750 }; /* at 3 GHz: 4 cycles each, one after the other */

/* A generator's state after so many steps. */
static inline uint64_t steps_run(uint64_t random, int steps)
{
	for (int i = 0; i < steps; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		__asm__("" : "+r"(random)); /* no two steps at once */
	}
	return random;
}

/* What steps_run returns, in logarithmic time: two steps are one of another generator. */
static inline uint64_t steps_expected(uint64_t random, int steps)
{
	uint64_t a = UINT64_C(6364136223846793005), c = 1442695040888963407;

	for (int left = steps; left; left >>= 1) {
		if (left & 1)
			random = random * a + c;
		c = a * c + c;
		a *= a;
	}
	return random;
}

#endif
