/* SPDX-License-Identifier: MIT */
/*
 * mutex8: 8 threads lock one mutex, add one and unlock, over and over.
 */
#include "threads.h"

enum { THREADS = 8, TIMES = 2500000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t counter;

static void *adder(void *arg)
{
	for (int i = 0; i < TIMES; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

int main(void)
{
	pthread_t all[THREADS];

	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < THREADS; i++)
		all[i] = threads_start(adder, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(all[i], NULL);
	bench_ns_each("mutex8", start, (double)THREADS * TIMES);
	bench_work((int64_t)THREADS * TIMES, "lock and unlock");
	bench_check(counter, (int64_t)THREADS * TIMES, "the counter");
	return 0;
}
