/* SPDX-License-Identifier: MIT */
/*
 * forkjoin: two threads that compute for some 10, 100 or 1,000 us are started and waited for; the
 * figure is the time of the whole, for each such pair.
 */
#include "threads.h"

#include "../steps.h"

struct task {
	uint64_t slot;
	int steps;
	pthread_t thread;
};

static void *task(void *arg)
{
	struct task *t = arg;

	t->slot = steps_run(t->slot, t->steps);
	return NULL;
}

static void fork_join(const char *name, int times, int us)
{
	int steps = us * STEPS_PER_US;
	int64_t right = 0, total = 0;

	for (int i = 0; i < times; i++) {
		struct task tasks[2] = {{.slot = (uint64_t)i, .steps = steps},
		                        {.slot = (uint64_t)-i, .steps = steps}};
		int64_t start = bench_now();

		for (int k = 0; k < 2; k++)
			tasks[k].thread = threads_start(task, &tasks[k]);
		for (int k = 0; k < 2; k++)
			pthread_join(tasks[k].thread, NULL);
		total += bench_now() - start;
		right += tasks[0].slot == steps_expected((uint64_t)i, steps);
		right += tasks[1].slot == steps_expected((uint64_t)-i, steps);
	}
	bench_result(name, (double)total / times / 1e3, "us");
	bench_check(right, 2 * times, "the number of right results");
}

int main(void)
{
	threads_limit();
	fork_join("forkjoin_10", 3000, 10);
	fork_join("forkjoin_100", 1000, 100);
	fork_join("forkjoin_1000", 200, 1000);
	bench_work(4200, "pairs of tasks");
	return 0;
}
