/* SPDX-License-Identifier: MIT */
/*
 * hog: how late a goroutine wakes that sleeps 1 ms, beside goroutines that compute for ever and call
 * nothing: first 4 of them (hog_...), then 20 (hog20_...).
 *
 *	hog_begin           until each of them has begun
 *	hog_p50, hog_p99    late by so much, from then on for 0.5 s, under BENCH_FULL 10 s
 */
#include "../hog.h"

#include <leat.h>

struct hog {
	int i;
};

static void hog(struct hog *a)
{
	hog_loop(a->i);
}

int main(void)
{
	int i = 0;

	leat_procs(bench_procs());
	int64_t start = bench_now();
	while (i < HOGS_FEW)
		go(hog, .i = i++);
	hog_measure("hog", HOGS_FEW, start, leat_sleep);
	start = bench_now();
	while (i < HOGS_MANY)
		go(hog, .i = i++);
	hog_measure("hog20", HOGS_MANY, start, leat_sleep);
	bench_work(HOGS_MANY, "hogs");
	return 0;
}
