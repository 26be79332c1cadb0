/* SPDX-License-Identifier: MIT */
/*
 * blocking: 8 threads call usleep for 1 ms, 400 times each; the figure is the time of all divided by
 * the number of calls.
 */
#include "threads.h"

enum { CALLERS = 8, CALLS = 400, NAP_US = 1000 };

static void *caller(void *arg)
{
	int64_t *calls = (int64_t *)arg;

	for (int i = 0; i < CALLS; i++) {
		usleep(NAP_US);
		++*calls;
	}
	return NULL;
}

int main(void)
{
	int64_t calls[CALLERS] = {0}, all = 0;
	pthread_t t[CALLERS];

	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < CALLERS; i++)
		t[i] = threads_start(caller, &calls[i]);
	for (int i = 0; i < CALLERS; i++)
		pthread_join(t[i], NULL);
	bench_result("blocking", (double)(bench_now() - start) / 1e3 / (CALLERS * CALLS), "us");
	for (int i = 0; i < CALLERS; i++)
		all += calls[i];
	bench_check(all, CALLERS * CALLS, "the number of calls");
	bench_work(CALLERS * CALLS, "calls");
	return 0;
}
