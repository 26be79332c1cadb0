/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-random numbers for scheduling choices: Marsaglia's xorshift64* (2003, Vigna 2016).  Not for
 * secrets.  The state is owned by one processor; it must never be 0.
 */
#ifndef LEAT_BASE_RANDOM_H
#define LEAT_BASE_RANDOM_H

#include <stdint.h>

static inline uint32_t leat__random_next(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return (uint32_t)((x * UINT64_C(0x2545F4914F6CDD1D)) >> 32);
}

/* A state from any seed, by a step of SplitMix64 (Steele, Lea, Flood 2014). */
static inline uint64_t leat__random_seed(uint64_t seed)
{
	uint64_t z = seed + UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	z ^= z >> 31;
	return z ? z : 1;
}

/* A number below n from 32 random bits, by Lemire's multiplication (bias below n / 2^32). */
static inline uint32_t leat__random_below(uint32_t bits, uint32_t n)
{
	return (uint32_t)(((uint64_t)bits * n) >> 32);
}

#endif
