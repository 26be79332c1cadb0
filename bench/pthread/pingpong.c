/* SPDX-License-Identifier: MIT */
/*
 * pingpong: a value there and back over two queues of one slot; the figure is per round trip.
 */
#include "threads.h"

enum { TRIPS = 30000 };

static struct queue ping, pong;

static void *echo(void *arg)
{
	int v;

	while (queue_recv(&ping, &v))
		queue_send(&pong, v + 1);
	return arg;
}

int main(void)
{
	int64_t sum = 0;
	int v;

	threads_limit();
	queue_init(&ping, 1);
	queue_init(&pong, 1);
	int64_t start = bench_now();
	pthread_t t = threads_start(echo, NULL);
	for (int i = 0; i < TRIPS; i++) {
		queue_send(&ping, i);
		if (queue_recv(&pong, &v))
			sum += v;
	}
	bench_ns_each("pingpong", start, TRIPS);
	bench_work(TRIPS, "round trips");
	bench_check(sum, (int64_t)TRIPS * (TRIPS + 1) / 2, "the sum");
	queue_close(&ping);
	pthread_join(t, NULL);
	return 0;
}
