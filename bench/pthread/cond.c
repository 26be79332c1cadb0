/* SPDX-License-Identifier: MIT */
/*
 * cond: two threads hand a turn back and forth, through one mutex and a cond for each.
 */
#include "threads.h"

enum { TIMES = 100000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turn_of[2] = {PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER};
static int turn;      /* under the lock */
static int64_t hands; /* likewise: how often it was handed over */

static void *player(void *arg)
{
	int me = arg != NULL;

	for (int i = 0; i < TIMES / 2; i++) {
		pthread_mutex_lock(&lock);
		while (turn != me)
			pthread_cond_wait(&turn_of[me], &lock);
		turn = !me;
		hands++;
		pthread_cond_signal(&turn_of[!me]);
		pthread_mutex_unlock(&lock);
	}
	return arg;
}

int main(void)
{
	pthread_t all[2];

	threads_limit();
	int64_t start = bench_now();
	all[0] = threads_start(player, NULL);
	all[1] = threads_start(player, all);
	for (int i = 0; i < 2; i++)
		pthread_join(all[i], NULL);
	bench_ns_each("cond", start, TIMES);
	bench_work(TIMES, "hand-overs");
	bench_check(hands, TIMES, "the count of hand-overs");
	return 0;
}
