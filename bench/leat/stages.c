/* SPDX-License-Identifier: MIT */
/*
 * stages: a pipeline of two stages that compute for some 1, 5 or 20 us an item, with a channel with
 * room for 128 between them; the figure is the time of the whole, for each item.
 */
#include "../steps.h"

#include <leat.h>

enum { CAPACITY = 128 };

struct stage {
	send_chan(uint64_t) out;
	int items, steps;
};

static void first(struct stage *a)
{
	for (int i = 0; i < a->items; i++)
		chan_send(a->out, steps_run((uint64_t)i, a->steps));
	chan_close(a->out);
}

static void stages(const char *name, int items, int us)
{
	chan(uint64_t) c = chan_make(uint64_t, CAPACITY);
	int steps = us * STEPS_PER_US, i = 0;
	uint64_t sum = 0, right = 0;
	int64_t start = bench_now();

	go_as(stage, first, .out = chan_sender(c), .items = items, .steps = steps);
	chan_range(v, c)
		sum += steps_run(v, steps);
	bench_result(name, (double)(bench_now() - start) / items / 1e3, "us");
	for (; i < items; i++)
		right += steps_expected((uint64_t)i, 2 * steps);
	bench_check((int64_t)sum, (int64_t)right, "the sum");
	chan_free(c);
}

int main(void)
{
	leat_procs(bench_procs());
	stages("stages_1", 200000, 1);
	stages("stages_5", 50000, 5);
	stages("stages_20", 12500, 20);
	bench_work(262500, "items");
	return 0;
}
