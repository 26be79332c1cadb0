/* SPDX-License-Identifier: MIT */
/*
 * chanbuf: one sender, one receiver, a queue with room for 128; the figure is per element.
 */
#include "threads.h"

enum { ELEMENTS = 3000000, CAPACITY = 128 };

static struct queue q;

static void *sender(void *arg)
{
	for (int i = 0; i < ELEMENTS; i++)
		queue_send(&q, i);
	queue_close(&q);
	return arg;
}

int main(void)
{
	int64_t sum = 0;
	int v;

	threads_limit();
	queue_init(&q, CAPACITY);
	int64_t start = bench_now();
	pthread_t t = threads_start(sender, NULL);
	while (queue_recv(&q, &v))
		sum += v;
	bench_ns_each("chanbuf", start, ELEMENTS);
	bench_work(ELEMENTS, "elements");
	bench_check(sum, (int64_t)ELEMENTS * (ELEMENTS - 1) / 2, "the sum");
	pthread_join(t, NULL);
	return 0;
}
