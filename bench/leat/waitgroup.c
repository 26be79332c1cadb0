/* SPDX-License-Identifier: MIT */
/*
 * waitgroup: two goroutines that wait for each other in turns, each by a wait group of the other's.  The figure
 * is the time for one of them: an addition, a done that releases, a wait that parks.
 */
#include "../bench.h"

#include <leat.h>

enum { ROUNDS = 3000000 };

static leat_waitgroup turn[2], ended;
static int64_t rounds[2];

struct player {
	int me;
};

static void player(struct player *a)
{
	leat_waitgroup *mine = &turn[a->me], *others = &turn[1 - a->me];

	for (int i = 0; i < ROUNDS; i++) {
		leat_waitgroup_wait(mine);
		leat_waitgroup_add(mine, 1);
		rounds[a->me]++;
		leat_waitgroup_done(others);
	}
}

int main(void)
{
	leat_procs(bench_procs());
	leat_waitgroup_add(&turn[1], 1);
	int64_t start = bench_now();
	wg_go(&ended, player, 0);
	wg_go(&ended, player, 1);
	leat_waitgroup_wait(&ended);
	bench_ns_each("waitgroup", start, 2 * ROUNDS);
	bench_work(2 * ROUNDS, "turns");
	bench_check(rounds[0] + rounds[1], 2 * ROUNDS, "the turns");
	return 0;
}
