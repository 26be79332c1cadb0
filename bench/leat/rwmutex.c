/* SPDX-License-Identifier: MIT */
/*
 * rwmutex: a goroutine per processor locks one lock for reading, reads and unlocks, over and over; the time of
 * one of them for one round.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 20000000 };

static leat_rwmutex lock;
static int64_t shared = 1;
static int64_t sum; /* atomic */

struct reader {
	leat_waitgroup *done;
};

static void reader(struct reader *a)
{
	int64_t mine = 0;

	for (int i = 0; i < TIMES; i++) {
		leat_rwmutex_rlock(&lock);
		mine += *(volatile int64_t *)&shared;
		leat_rwmutex_runlock(&lock);
	}
	__atomic_fetch_add(&sum, mine, __ATOMIC_RELAXED);
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_waitgroup done = {0};
	int readers = bench_procs();

	leat_procs(readers);
	leat_waitgroup_add(&done, readers);
	int64_t start = bench_now();
	for (int i = 0; i < readers; i++)
		go(reader, &done);
	leat_waitgroup_wait(&done);
	bench_ns_each("rwmutex", start, TIMES);
	bench_work(TIMES, "read locks by each");
	bench_check(sum, (int64_t)readers * TIMES, "the sum");
	return 0;
}
