/* SPDX-License-Identifier: MIT */
/*
 * What the quicksort programs in C share: the ints, the sequential parts of the algorithm, and the
 * check.  bench/go/quicksort.go has the same, statement by statement.
 */
#ifndef BENCH_SORT_H
#define BENCH_SORT_H

#include "bench.h"

enum { SORT_INTS = 20000000, SORT_INSERTION = 16 };

/* Random ints, the same in every run. */
static inline int32_t *sort_input(void)
{
	int32_t *v = (int32_t *)malloc(SORT_INTS * sizeof *v);
	uint64_t random = 1;

	if (!v) {
		fputs("no memory for the ints\n", stderr);
		exit(77);
	}
	for (size_t i = 0; i < SORT_INTS; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		v[i] = (int32_t)(random >> 33);
	}
	return v;
}

static inline int64_t sort_sum(const int32_t *v)
{
	int64_t sum = 0;

	for (size_t i = 0; i < SORT_INTS; i++)
		sum += v[i];
	return sum;
}

/* The median of the first, the middle and the last. */
static inline int32_t sort_pivot(const int32_t *v, size_t n)
{
	int32_t a = v[0], b = v[n / 2], c = v[n - 1];

	if (a > b) {
		int32_t t = a;

		a = b;
		b = t;
	}
	return c < a ? a : c > b ? b : c;
}

/* Hoare's: returns how many, 1 to n - 1, now stand at the left, none of them above any of the rest. */
static inline size_t sort_partition(int32_t *v, size_t n)
{
	int32_t pivot = sort_pivot(v, n);
	size_t i = 0, j = n - 1;

	for (;; i++, j--) {
		int32_t t;

		while (v[i] < pivot)
			i++;
		while (v[j] > pivot)
			j--;
		if (i >= j)
			return i == j ? i + 1 : i;
		t = v[i];
		v[i] = v[j];
		v[j] = t;
	}
}

static inline void sort_insertion(int32_t *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		int32_t x = v[i];
		size_t k = i;

		for (; k > 0 && v[k - 1] > x; k--)
			v[k] = v[k - 1];
		v[k] = x;
	}
}

/* Sort without help. */
static inline void sort_alone(int32_t *v, size_t n)
{
	while (n > SORT_INSERTION) {
		size_t left = sort_partition(v, n);

		sort_alone(v, left);
		v += left;
		n -= left;
	}
	sort_insertion(v, n);
}

static inline void sort_check(const int32_t *v, int64_t sum)
{
	int64_t disorder = 0;

	for (size_t i = 1; i < SORT_INTS; i++)
		disorder += v[i - 1] > v[i];
	bench_check(disorder, 0, "the number of ints out of order");
	bench_check(sort_sum(v), sum, "the sum of the ints");
}

#endif
