/* SPDX-License-Identifier: MIT */
/*
 * semaphore: 8 threads take one of 4 tokens and give it back, over and over.
 */
#include "threads.h"

#include <semaphore.h>

enum { THREADS = 8, TOKENS = 4, TIMES = 2500000 };

static sem_t tokens;

static void *taker(void *arg)
{
	for (int i = 0; i < TIMES; i++) {
		while (sem_wait(&tokens))
			;
		sem_post(&tokens);
	}
	return arg;
}

int main(void)
{
	pthread_t all[THREADS];
	int left = -1;

	threads_limit();
	sem_init(&tokens, 0, TOKENS);
	int64_t start = bench_now();
	for (int i = 0; i < THREADS; i++)
		all[i] = threads_start(taker, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(all[i], NULL);
	bench_ns_each("semaphore", start, (double)THREADS * TIMES);
	bench_work((int64_t)THREADS * TIMES, "acquire and release");
	sem_getvalue(&tokens, &left);
	bench_check(left, TOKENS, "the tokens that are back");
	return 0;
}
