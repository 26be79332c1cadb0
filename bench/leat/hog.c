/* SPDX-License-Identifier: MIT */
/*
 * hog: how late a goroutine wakes that sleeps 1 ms, beside goroutines that compute for ever and call
 * nothing: 4 of them (hog_p50, hog_p99), then 20 (hog20_p50, hog20_p99).  0.7 s each, under BENCH_FULL
 * 10 s.
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
	while (i < HOGS_FEW)
		go(hog, .i = i++);
	hog_measure("hog", HOGS_FEW, leat_sleep);
	while (i < HOGS_MANY)
		go(hog, .i = i++);
	hog_measure("hog20", HOGS_MANY, leat_sleep);
	bench_work(HOGS_MANY, "hogs");
	return 0;
}
