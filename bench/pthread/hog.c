/* SPDX-License-Identifier: MIT */
/*
 * hog: how late a thread wakes that sleeps 1 ms, beside threads that compute for ever: first 4 of them
 * (hog_...), then 20 (hog20_...).
 *
 *	hog_begin           until each of them has begun
 *	hog_p50, hog_p99    late by so much, from then on for 0.5 s, under BENCH_FULL 10 s
 */
#include "threads.h"

#include "../hog.h"

static void *hog(void *arg)
{
	hog_loop((int)(intptr_t)arg);
}

static void nap(int64_t ns)
{
	struct timespec t = {0, ns};

	nanosleep(&t, NULL);
}

int main(void)
{
	int i = 0;

	threads_limit();
	int64_t start = bench_now();
	for (; i < HOGS_FEW; i++)
		threads_start(hog, (void *)(intptr_t)i);
	hog_measure("hog", HOGS_FEW, start, nap);
	start = bench_now();
	for (; i < HOGS_MANY; i++)
		threads_start(hog, (void *)(intptr_t)i);
	hog_measure("hog20", HOGS_MANY, start, nap);
	bench_work(HOGS_MANY, "hogs");
	return 0;
}
