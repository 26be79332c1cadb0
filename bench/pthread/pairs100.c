/* SPDX-License-Identifier: MIT */
/*
 * pairs100: 100 pairs of threads, each of which plays ping-pong over two queues of one slot; the
 * figure is the time of the whole per round trip of any pair.
 */
#include "threads.h"

#include <stdatomic.h>

enum { PAIRS = 100, TRIPS = 500 };

static _Atomic int64_t sum;

struct pair {
	struct queue ping, pong;
	pthread_t server, echo;
};

static void *serve(void *arg)
{
	struct pair *p = arg;
	int64_t mine = 0;
	int v;

	for (int i = 0; i < TRIPS; i++) {
		queue_send(&p->ping, i);
		if (queue_recv(&p->pong, &v))
			mine += v;
	}
	queue_close(&p->ping);
	atomic_fetch_add(&sum, mine);
	return NULL;
}

static void *echo(void *arg)
{
	struct pair *p = arg;
	int v;

	while (queue_recv(&p->ping, &v))
		queue_send(&p->pong, v + 1);
	return NULL;
}

int main(void)
{
	static struct pair pairs[PAIRS];

	threads_limit();
	int64_t start = bench_now();
	for (int i = 0; i < PAIRS; i++) {
		queue_init(&pairs[i].ping, 1);
		queue_init(&pairs[i].pong, 1);
		pairs[i].server = threads_start(serve, &pairs[i]);
		pairs[i].echo = threads_start(echo, &pairs[i]);
	}
	for (int i = 0; i < PAIRS; i++) {
		pthread_join(pairs[i].server, NULL);
		pthread_join(pairs[i].echo, NULL);
	}
	bench_ns_each("pairs100", start, (double)PAIRS * TRIPS);
	bench_work((int64_t)PAIRS * TRIPS, "round trips");
	bench_check(sum, (int64_t)PAIRS * TRIPS * (TRIPS + 1) / 2, "the sum");
	return 0;
}
