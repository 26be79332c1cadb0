/* SPDX-License-Identifier: MIT */
/*
 * select: four senders, each on an unbuffered channel of its own, and one receiver that selects
 * over the four; the figure is per element received.
 */
#include "../bench.h"

#include <leat.h>

enum { EACH = 1500000 };

struct sender {
	send_chan(int) out;
};

static void sender(struct sender *a)
{
	for (int i = 0; i < EACH; i++)
		chan_send(a->out, i);
}

static chan(int) start_sender(void)
{
	chan(int) c = chan_make(int, 0);

	go(sender, .out = chan_sender(c));
	return c;
}

int main(void)
{
	leat_procs(bench_procs());

	int64_t sum = 0;

	int64_t start = bench_now();
	chan(int) a = start_sender();
	chan(int) b = start_sender();
	chan(int) c = start_sender();
	chan(int) d = start_sender();
	for (int i = 0; i < 4 * EACH; i++)
		chan_select {
			case_recv(a, v)
				sum += v;
			case_recv(b, v)
				sum += v;
			case_recv(c, v)
				sum += v;
			case_recv(d, v)
				sum += v;
		}
	bench_ns_each("select", start, 4.0 * EACH);
	bench_work(4 * (int64_t)EACH, "elements");
	bench_check(sum, 4 * ((int64_t)EACH * (EACH - 1) / 2), "the sum");
	return 0;
}
