/* SPDX-License-Identifier: MIT */
/*
 * parked: 1,000 threads, each started, run and waiting at a condition; memory and time for each.
 *
 * What the kernel keeps for a thread (its kernel stack of 16 KiB, and more) is not in these
 * figures.
 */
#include "threads.h"

enum { THREADS = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* protects started and over */
static pthread_cond_t progress = PTHREAD_COND_INITIALIZER;
static pthread_cond_t released = PTHREAD_COND_INITIALIZER;
static int started;
static bool over;

static void *parker(void *arg)
{
	pthread_mutex_lock(&lock);
	if (++started == THREADS)
		pthread_cond_signal(&progress);
	while (!over)
		pthread_cond_wait(&released, &lock);
	pthread_mutex_unlock(&lock);
	return arg;
}

int main(void)
{
	static pthread_t threads[THREADS];

	threads_limit();
	int64_t rss = bench_rss(), pte = bench_pte();

	int64_t start = bench_now();
	for (int i = 0; i < THREADS; i++)
		threads[i] = threads_start(parker, NULL);
	pthread_mutex_lock(&lock);
	while (started < THREADS)
		pthread_cond_wait(&progress, &lock);
	bench_ns_each("parked_create", start, THREADS);
	/* Whoever counted itself has the lock no more only when it waits: all are parked. */
	bench_result("parked_rss", (double)(bench_rss() - rss) / THREADS, "B");
	bench_result("parked_pte", (double)(bench_pte() - pte) / THREADS, "B");
	bench_work(THREADS, "threads");
	over = true;
	pthread_mutex_unlock(&lock);
	pthread_cond_broadcast(&released);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	bench_check(started, THREADS, "the number of threads");
	return 0;
}
