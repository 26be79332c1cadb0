/* SPDX-License-Identifier: MIT */
/*
 * pool: on each processor a thread allocates a buffer, writes to it and frees it: what one does without a
 * pool.
 */
#include "threads.h"

enum { TIMES = 20000000, BYTES = 256 };

static void *user(void *arg)
{
	for (int i = 0; i < TIMES; i++) {
		volatile unsigned char *b = malloc(BYTES);

		if (!b)
			threads_must(ENOMEM, "malloc");
		b[i & 255] = 1;
		free((void *)b);
	}
	return arg;
}

int main(void)
{
	int procs = bench_procs();
	pthread_t *all = calloc((size_t)procs, sizeof *all);

	if (!all)
		threads_must(ENOMEM, "calloc");
	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < procs; i++)
		all[i] = threads_start(user, NULL);
	for (int i = 0; i < procs; i++)
		pthread_join(all[i], NULL);
	bench_ns_each("pool", start, TIMES);
	bench_work((int64_t)procs * TIMES, "get and put");
	free(all);
	return 0;
}
