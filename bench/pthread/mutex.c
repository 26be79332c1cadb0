/* SPDX-License-Identifier: MIT */
/*
 * mutex: lock, add one, unlock, with nobody else about.
 */
#include "threads.h"

enum { TIMES = 100000000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t counter;

int main(void)
{
	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++) {
		pthread_mutex_lock(&lock);
		counter++;
		pthread_mutex_unlock(&lock);
	}
	bench_ns_each("mutex", start, TIMES);
	bench_work(TIMES, "lock and unlock");
	bench_check(counter, TIMES, "the counter");
	return 0;
}
