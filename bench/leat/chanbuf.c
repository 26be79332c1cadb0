/* SPDX-License-Identifier: MIT */
/*
 * chanbuf: one sender, one receiver, a channel with room for 128; the figure is per element.
 */
#include "../bench.h"

#include <leat.h>

enum { ELEMENTS = 40000000, CAPACITY = 128 };

struct sender {
	send_chan(int) out;
};

static void sender(struct sender *a)
{
	for (int i = 0; i < ELEMENTS; i++)
		chan_send(a->out, i);
	chan_close(a->out);
}

int main(void)
{
	leat_procs(bench_procs());

	chan(int) c = chan_make(int, CAPACITY);
	int64_t sum = 0;

	int64_t start = bench_now();
	go(sender, .out = chan_sender(c));
	chan_range(v, c)
		sum += v;
	bench_ns_each("chanbuf", start, ELEMENTS);
	bench_work(ELEMENTS, "elements");
	bench_check(sum, (int64_t)ELEMENTS * (ELEMENTS - 1) / 2, "the sum");
	return 0;
}
