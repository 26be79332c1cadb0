/* SPDX-License-Identifier: MIT */
/*
 * stages: a pipeline of two threads that compute for some 1, 5 or 20 us an item, with a queue of 128
 * slots between them; the figure is the time of the whole, for each item.
 */
#include "threads.h"

#include "../steps.h"

enum { CAPACITY = 128 };

struct stage {
	struct queue out;
	int items, steps;
};

/* The queue holds ints: the items' numbers, and what was computed of them beside it. */
static uint64_t computed[CAPACITY * 2];

static void *first(void *arg)
{
	struct stage *s = arg;

	for (int i = 0; i < s->items; i++) {
		computed[i % (CAPACITY * 2)] = steps_run((uint64_t)i, s->steps);
		queue_send(&s->out, i);
	}
	queue_close(&s->out);
	return NULL;
}

static void stages(const char *name, int items, int us)
{
	struct stage s = {.items = items, .steps = us * STEPS_PER_US};
	uint64_t sum = 0, right = 0;
	pthread_t t;
	int i;

	queue_init(&s.out, CAPACITY);
	int64_t start = bench_now();
	t = threads_start(first, &s);
	while (queue_recv(&s.out, &i))
		sum += steps_run(computed[i % (CAPACITY * 2)], s.steps);
	pthread_join(t, NULL);
	bench_result(name, (double)(bench_now() - start) / items / 1e3, "us");
	for (i = 0; i < items; i++)
		right += steps_expected((uint64_t)i, 2 * s.steps);
	bench_check((int64_t)sum, (int64_t)right, "the sum");
	free(s.out.slots);
}

int main(void)
{
	threads_limit();
	stages("stages_1", 200000, 1);
	stages("stages_5", 50000, 5);
	stages("stages_20", 12500, 20);
	bench_work(262500, "items");
	return 0;
}
