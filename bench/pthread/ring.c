/* SPDX-License-Identifier: MIT */
/*
 * ring: 503 threads in a ring of queues of one slot pass one token on; the figure is per hop.
 */
#include "threads.h"

enum { SIZE = 503, HOPS = 50000 };

static struct queue queues[SIZE]; /* the i-th leads to the i-th thread */
static struct queue last;

static void *member(void *in)
{
	int place = (int)((struct queue *)in - queues), left;

	while (queue_recv((struct queue *)in, &left)) {
		if (left == 0)
			queue_send(&last, place);
		else
			queue_send(&queues[(place + 1) % SIZE], left - 1);
	}
	return NULL;
}

int main(void)
{
	static pthread_t threads[SIZE];
	int place = -1;

	threads_limit();
	queue_init(&last, 1);
	for (int i = 0; i < SIZE; i++)
		queue_init(&queues[i], 1);
	for (int i = 0; i < SIZE; i++)
		threads[i] = threads_start(member, &queues[i]);
	int64_t start = bench_now();
	queue_send(&queues[0], HOPS);
	queue_recv(&last, &place);
	bench_ns_each("ring", start, HOPS);
	bench_work(HOPS, "hops");
	bench_check(place, HOPS % SIZE, "the place of the last");
	for (int i = 0; i < SIZE; i++)
		queue_close(&queues[i]);
	for (int i = 0; i < SIZE; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
