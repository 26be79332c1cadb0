/* SPDX-License-Identifier: MIT */
/*
 * forkjoin: two goroutines that compute for some 10, 100 or 1,000 us are started and waited for; the
 * figure is the time of the whole, for each such pair.
 */
#include "../steps.h"

#include <leat.h>

struct task {
	uint64_t *slot;
	int steps;
	leat_waitgroup *done;
};

static void task(struct task *a)
{
	*a->slot = steps_run(*a->slot, a->steps);
	leat_waitgroup_done(a->done);
}

static void fork_join(const char *name, int times, int us)
{
	int steps = us * STEPS_PER_US;
	int64_t right = 0, total = 0;

	for (int i = 0; i < times; i++) {
		uint64_t slots[2] = {(uint64_t)i, (uint64_t)-i};
		leat_waitgroup done = {0};
		int64_t start = bench_now();

		leat_waitgroup_add(&done, 2);
		go(task, &slots[0], steps, &done);
		go(task, &slots[1], steps, &done);
		leat_waitgroup_wait(&done);
		total += bench_now() - start;
		right += slots[0] == steps_expected((uint64_t)i, steps);
		right += slots[1] == steps_expected((uint64_t)-i, steps);
	}
	bench_result(name, (double)total / times / 1e3, "us");
	bench_check(right, 2 * times, "the number of right results");
}

int main(void)
{
	leat_procs(bench_procs());
	fork_join("forkjoin_10", 10000, 10);
	fork_join("forkjoin_100", 2000, 100);
	fork_join("forkjoin_1000", 200, 1000);
	bench_work(12200, "pairs of tasks");
	return 0;
}
