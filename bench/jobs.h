/* SPDX-License-Identifier: MIT */
/*
 * What the jobs programs in C share: a job, and how many threads the process has had.
 */
#ifndef BENCH_JOBS_H
#define BENCH_JOBS_H

#include "steps.h"

#include <pthread.h>

enum {
	JOBS_SCALED = 60,
	JOBS_FULL = 20000,
	JOB_STEPS = 50000 * STEPS_PER_US,
};

static _Atomic int jobs_over, jobs_peak;

/* A thread that looks every 2 ms how many others there are. */
static inline void *jobs_watch(void *arg)
{
	while (!jobs_over) {
		int n = (int)(bench_kb_field("/proc/self/status", "Threads") / 1024) - 1;

		if (n > jobs_peak)
			jobs_peak = n;
		usleep(2000);
	}
	return arg;
}

static inline pthread_t jobs_watch_start(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, jobs_watch, NULL)) {
		fputs("cannot start the thread that counts threads\n", stderr);
		exit(1);
	}
	return t;
}

/* The most threads the process had at once, but for the watcher. */
static inline int jobs_watch_end(pthread_t t)
{
	jobs_over = 1;
	pthread_join(t, NULL);
	return jobs_peak;
}

#endif
