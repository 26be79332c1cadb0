/* SPDX-License-Identifier: MIT */
/*
 * waitgroup: two threads that wait for each other in turns, each by a counter under a mutex with a condition
 * variable.  The figure is the time for one of them.
 */
#include "threads.h"

enum { ROUNDS = 20000 };

struct group {
	pthread_mutex_t lock;
	pthread_cond_t zero;
	int count;
};

static struct group turn[2] = {{PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0},
                               {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 1}};
static int64_t rounds[2];

static void add(struct group *g, int delta)
{
	pthread_mutex_lock(&g->lock);
	g->count += delta;
	if (g->count == 0)
		pthread_cond_broadcast(&g->zero);
	pthread_mutex_unlock(&g->lock);
}

static void wait_for(struct group *g)
{
	pthread_mutex_lock(&g->lock);
	while (g->count != 0)
		pthread_cond_wait(&g->zero, &g->lock);
	pthread_mutex_unlock(&g->lock);
}

static void *player(void *arg)
{
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < ROUNDS; i++) {
		wait_for(&turn[me]);
		add(&turn[me], 1);
		rounds[me]++;
		add(&turn[1 - me], -1);
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[2];

	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, player, (void *)(intptr_t)i) != 0)
			return 1;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	bench_ns_each("waitgroup", start, 2 * ROUNDS);
	bench_work(2 * ROUNDS, "turns");
	bench_check(rounds[0] + rounds[1], 2 * ROUNDS, "the turns");
	return 0;
}
