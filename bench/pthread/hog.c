/* SPDX-License-Identifier: MIT */
/*
 * hog: how late a thread wakes that sleeps 1 ms, beside threads that compute for ever: 4 of them
 * (hog_p50, hog_p99), then 20 (hog20_p50, hog20_p99).  0.7 s each, under BENCH_FULL 10 s.
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
	for (; i < HOGS_FEW; i++)
		threads_start(hog, (void *)(intptr_t)i);
	hog_measure("hog", HOGS_FEW, nap);
	for (; i < HOGS_MANY; i++)
		threads_start(hog, (void *)(intptr_t)i);
	hog_measure("hog20", HOGS_MANY, nap);
	bench_work(HOGS_MANY, "hogs");
	return 0;
}
