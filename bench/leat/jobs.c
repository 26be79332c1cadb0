/* SPDX-License-Identifier: MIT */
/*
 * jobs: 60 goroutines (20,000 under BENCH_FULL), all started at once, of 50 ms CPU time each in
 * which they call nothing.
 *
 *	jobs            the time of the whole
 *	jobs_threads    the most threads the process had at once
 */
#include "../jobs.h"

#include <leat.h>

struct job {
	uint64_t *slot;
	leat_waitgroup *done;
};

static void job(struct job *a)
{
	*a->slot = steps_run(*a->slot, JOB_STEPS);
	leat_waitgroup_done(a->done);
}

int main(void)
{
	static uint64_t slots[JOBS_FULL];
	int jobs = bench_count(JOBS_SCALED, JOBS_FULL);
	pthread_t watcher = jobs_watch_start();
	leat_waitgroup done = {0};
	int64_t right = 0;

	leat_procs(bench_procs());
	int64_t start = bench_now();
	leat_waitgroup_add(&done, jobs);
	for (int i = 0; i < jobs; i++) {
		slots[i] = (uint64_t)i;
		go(job, .slot = &slots[i], .done = &done);
	}
	leat_waitgroup_wait(&done);
	bench_result("jobs", (double)(bench_now() - start) / 1e6, "ms");
	bench_result("jobs_threads", jobs_watch_end(watcher), "threads");
	bench_work(jobs, "jobs");
	for (int i = 0; i < jobs; i++)
		right += slots[i] == steps_expected((uint64_t)i, JOB_STEPS);
	bench_check(right, jobs, "the number of right results");
	return 0;
}
