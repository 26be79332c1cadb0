/* SPDX-License-Identifier: MIT */
/*
 * mutex8: 8 goroutines lock one mutex, add one and unlock, over and over.
 */
#include "../bench.h"

#include <leat.h>

enum { GOROUTINES = 8, TIMES = 2500000 };

static leat_mutex lock;
static int64_t counter;

struct adder {
	leat_waitgroup *done;
};

static void adder(struct adder *a)
{
	for (int i = 0; i < TIMES; i++) {
		leat_mutex_lock(&lock);
		counter++;
		leat_mutex_unlock(&lock);
	}
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_waitgroup done = {0};

	leat_procs(bench_procs());
	leat_waitgroup_add(&done, GOROUTINES);
	int64_t start = bench_now();
	for (int i = 0; i < GOROUTINES; i++)
		go(adder, &done);
	leat_waitgroup_wait(&done);
	bench_ns_each("mutex8", start, (double)GOROUTINES * TIMES);
	bench_work((int64_t)GOROUTINES * TIMES, "lock and unlock");
	bench_check(counter, (int64_t)GOROUTINES * TIMES, "the counter");
	return 0;
}
