/* SPDX-License-Identifier: MIT */
/*
 * cond: two goroutines hand a turn back and forth, through one mutex and a cond for each.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 2000000 };

static leat_mutex lock;
static leat_cond turn_of[2];
static int turn;      /* under the lock */
static int64_t hands; /* likewise: how often it was handed over */

struct player {
	int me;
	leat_waitgroup *done;
};

static void player(struct player *p)
{
	for (int i = 0; i < TIMES / 2; i++) {
		leat_mutex_lock(&lock);
		while (turn != p->me)
			leat_cond_wait(&turn_of[p->me], &lock);
		turn = !p->me;
		hands++;
		leat_cond_signal(&turn_of[!p->me]);
		leat_mutex_unlock(&lock);
	}
	leat_waitgroup_done(p->done);
}

int main(void)
{
	leat_waitgroup done = {0};

	leat_procs(bench_procs());
	leat_waitgroup_add(&done, 2);
	int64_t start = bench_now();
	go(player, 0, &done);
	go(player, 1, &done);
	leat_waitgroup_wait(&done);
	bench_ns_each("cond", start, TIMES);
	bench_work(TIMES, "hand-overs");
	bench_check(hands, TIMES, "the count of hand-overs");
	return 0;
}
