/* SPDX-License-Identifier: MIT */
/*
 * What the hog programs in C share: a loop without end, and how late a sleeper beside it wakes.
 */
#ifndef BENCH_HOG_H
#define BENCH_HOG_H

#include "bench.h"

enum {
	HOGS_FEW = 4,
	HOGS_MANY = 20,
	HOG_NAP_NS = 1000000,
	HOG_MS_SCALED = 500,
	HOG_MS_FULL = 10000,
};

/* One per hog, each in a cache line of its own. */
struct hog_turns {
	_Alignas(64) _Atomic uint64_t n;
};

static struct hog_turns hog_turns[HOGS_MANY];

/* Compute for ever.  The loop shows that it runs by a plain store, nothing else. */
__attribute__((noreturn)) static inline void hog_loop(int i)
{
	for (uint64_t n = 0;; n++)
		__atomic_store_n((uint64_t *)&hog_turns[i].n, n, __ATOMIC_RELAXED);
}

/* Sleep by nap(HOG_NAP_NS) until so many hogs have begun, which is a figure, then again and again, and
   print how late that was. */
static inline void hog_measure(const char *name, int hogs, int64_t start, void (*nap)(int64_t ns))
{
	char figure[32];

	for (int i = 0; i < hogs; i++)
		while (!hog_turns[i].n)
			nap(HOG_NAP_NS);
	snprintf(figure, sizeof figure, "%s_begin", name);
	bench_result(figure, (double)(bench_now() - start) / 1e6, "ms");

	int64_t end = bench_now() + (int64_t)bench_count(HOG_MS_SCALED, HOG_MS_FULL) * 1000000;
	static int64_t late[HOG_MS_FULL];
	size_t n = 0;

	while (bench_now() < end && n < HOG_MS_FULL) {
		int64_t due = bench_now() + HOG_NAP_NS;

		nap(HOG_NAP_NS);
		late[n] = bench_now() - due;
		bench_check(late[n] < 0, 0, "a sleep that ended early");
		n++;
	}
	snprintf(figure, sizeof figure, "%s_p50", name);
	bench_result(figure, bench_quantile(late, n, 0.5) / 1e3, "us");
	snprintf(figure, sizeof figure, "%s_p99", name);
	bench_result(figure, bench_quantile(late, n, 0.99) / 1e3, "us");
}

#endif
