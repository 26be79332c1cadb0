/* SPDX-License-Identifier: MIT */
/* A histogram whose buckets grow with what is in them, as in HdrHistogram by Gil Tene. */
#include "echo.h"

#include <math.h>

enum { FINE = 7, PER_DOUBLING = 1 << FINE };

static unsigned bucket_of(uint64_t ns)
{
	unsigned doubling, bucket;

	if (ns < 2 * PER_DOUBLING)
		return (unsigned)ns;
	doubling = 63 - (unsigned)__builtin_clzll(ns) - FINE;
	bucket = doubling * PER_DOUBLING + (unsigned)(ns >> doubling);
	return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

/* The largest that is in it. */
static uint64_t end_of(unsigned bucket)
{
	unsigned doubling = bucket < 2 * PER_DOUBLING ? 0 : bucket / PER_DOUBLING - 1;

	return ((uint64_t)(bucket - doubling * PER_DOUBLING + 1) << doubling) - 1;
}

void histogram_add(struct histogram *h, int64_t ns)
{
	uint64_t t = ns > 0 ? (uint64_t)ns : 0, most = __atomic_load_n(&h->most, __ATOMIC_RELAXED);

	__atomic_fetch_add(&h->count[bucket_of(t)], 1, __ATOMIC_RELAXED);
	while (most < t && !__atomic_compare_exchange_n(&h->most, &most, t, true, __ATOMIC_RELAXED,
	                                                __ATOMIC_RELAXED))
		;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->count[i] += from->count[i];
	if (from->most > into->most)
		into->most = from->most;
}

uint64_t histogram_count(const struct histogram *h)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += h->count[i];
	return n;
}

uint64_t histogram_quantile(const struct histogram *h, double share)
{
	uint64_t rank = (uint64_t)ceil(share * (double)histogram_count(h)), n = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		n += h->count[i];
		if (n >= rank && n > 0)
			return end_of(i) < h->most ? end_of(i) : h->most;
	}
	return 0;
}
