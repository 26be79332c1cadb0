/* SPDX-License-Identifier: MIT */
/*
 * mutex: lock, add one, unlock, with nobody else about.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 100000000 };

static leat_mutex lock;
static int64_t counter;

int main(void)
{
	leat_procs(bench_procs());
	int64_t start = bench_now();
	for (int i = 0; i < TIMES; i++) {
		leat_mutex_lock(&lock);
		counter++;
		leat_mutex_unlock(&lock);
	}
	bench_ns_each("mutex", start, TIMES);
	bench_work(TIMES, "lock and unlock");
	bench_check(counter, TIMES, "the counter");
	return 0;
}
