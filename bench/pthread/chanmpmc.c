/* SPDX-License-Identifier: MIT */
/*
 * chanmpmc: four senders and four receivers on one queue with room for 128; per element.
 */
#include "threads.h"

enum { SENDERS = 4, RECEIVERS = 4, EACH = 400000, CAPACITY = 128 };

static struct queue q;

static void *sender(void *arg)
{
	for (int i = 0; i < EACH; i++)
		queue_send(&q, i);
	return arg;
}

static void *receiver(void *result)
{
	int64_t sum = 0;
	int v;

	while (queue_recv(&q, &v))
		sum += v;
	*(int64_t *)result = sum;
	return NULL;
}

int main(void)
{
	pthread_t senders[SENDERS], receivers[RECEIVERS];
	int64_t results[RECEIVERS], sum = 0;

	threads_limit();
	queue_init(&q, CAPACITY);
	int64_t start = bench_now();
	for (int i = 0; i < SENDERS; i++)
		senders[i] = threads_start(sender, NULL);
	for (int i = 0; i < RECEIVERS; i++)
		receivers[i] = threads_start(receiver, &results[i]);
	for (int i = 0; i < SENDERS; i++)
		pthread_join(senders[i], NULL);
	queue_close(&q);
	for (int i = 0; i < RECEIVERS; i++) {
		pthread_join(receivers[i], NULL);
		sum += results[i];
	}
	bench_ns_each("chanmpmc", start, (double)SENDERS * EACH);
	bench_work((int64_t)SENDERS * EACH, "elements");
	bench_check(sum, SENDERS * ((int64_t)EACH * (EACH - 1) / 2), "the sum");
	return 0;
}
