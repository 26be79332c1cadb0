/* SPDX-License-Identifier: MIT */
/*
 * rwmutex: a thread per processor locks one lock for reading, reads and unlocks, over and over; the time of one
 * of them for one round.
 */
#include "threads.h"

enum { TIMES = 20000000 };

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int64_t shared = 1;
static int64_t sum; /* atomic */

static void *reader(void *arg)
{
	int64_t mine = 0;

	for (int i = 0; i < TIMES; i++) {
		pthread_rwlock_rdlock(&lock);
		mine += *(volatile int64_t *)&shared;
		pthread_rwlock_unlock(&lock);
	}
	__atomic_fetch_add(&sum, mine, __ATOMIC_RELAXED);
	return arg;
}

int main(void)
{
	pthread_t all[1024];
	int readers = bench_procs();

	if (readers > 1024)
		readers = 1024;
	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < readers; i++)
		all[i] = threads_start(reader, NULL);
	for (int i = 0; i < readers; i++)
		pthread_join(all[i], NULL);
	bench_ns_each("rwmutex", start, TIMES);
	bench_work(TIMES, "read locks by each");
	bench_check(sum, (int64_t)readers * TIMES, "the sum");
	return 0;
}
