/* SPDX-License-Identifier: MIT */
/*
 * pairs100: 100 pairs of goroutines, each of which plays ping-pong over two unbuffered channels; the
 * figure is the time of the whole per round trip of any pair.
 */
#include "../bench.h"

#include <leat.h>
#include <stdatomic.h>

enum { PAIRS = 100, TRIPS = 100000 };

static _Atomic int64_t sum;

struct player {
	chan(int) ping;
	chan(int) pong;
	leat_waitgroup *done;
};

static void serve(struct player *a)
{
	int64_t mine = 0;

	for (int i = 0; i < TRIPS; i++) {
		chan_send(a->ping, i);
		mine += chan_recv(a->pong);
	}
	chan_close(a->ping);
	atomic_fetch_add(&sum, mine);
	leat_waitgroup_done(a->done);
}

static void echo(struct player *a)
{
	chan_range(v, a->ping)
		chan_send(a->pong, v + 1);
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_waitgroup done = {0};

	leat_procs(bench_procs());
	leat_waitgroup_add(&done, 2 * PAIRS);
	int64_t start = bench_now();
	for (int i = 0; i < PAIRS; i++) {
		chan(int) ping = chan_make(int, 0);
		chan(int) pong = chan_make(int, 0);

		go_as(player, serve, .ping = ping, .pong = pong, .done = &done);
		go_as(player, echo, .ping = ping, .pong = pong, .done = &done);
	}
	leat_waitgroup_wait(&done);
	bench_ns_each("pairs100", start, (double)PAIRS * TRIPS);
	bench_work((int64_t)PAIRS * TRIPS, "round trips");
	bench_check(sum, (int64_t)PAIRS * TRIPS * (TRIPS + 1) / 2, "the sum");
	return 0;
}
