/* SPDX-License-Identifier: MIT */
/*
 * once: ask, over and over, for something to be done once that has been done.
 */
#include "threads.h"

enum { TIMES = 100000000 };

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int64_t calls;

static void count(void)
{
	calls++;
}

int main(void)
{
	threads_limit();
	pthread_once(&once, count);
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++)
		pthread_once(&once, count);
	bench_ns_each("once", start, TIMES);
	bench_work(TIMES, "calls");
	bench_check(calls, 1, "how often it was done");
	return 0;
}
