/* SPDX-License-Identifier: MIT */
/*
 * ring: 503 goroutines in a ring of unbuffered channels pass one token on; the figure is per hop.
 *
 * The token is the number of hops left; who gets 0 tells main its place.
 */
#include "../bench.h"

#include <leat.h>

enum { SIZE = 503, HOPS = 10000000 };

struct member {
	int place;
	recv_chan(int) in;
	send_chan(int) out;
	send_chan(int) last;
};

static void member(struct member *a)
{
	for (;;) {
		int left = chan_recv(a->in);

		if (left == 0) {
			chan_send(a->last, a->place);
			return;
		}
		chan_send(a->out, left - 1);
	}
}

int main(void)
{
	leat_procs(bench_procs());

	chan(int) last = chan_make(int, 0);
	chan(int) first = chan_make(int, 0);
	chan(int) in = first;

	for (int i = 0; i < SIZE; i++) {
		chan(int) out = i == SIZE - 1 ? first : chan_make(int, 0);

		go(member, .place = i, .in = chan_receiver(in), .out = chan_sender(out),
		   .last = chan_sender(last));
		in = out;
	}
	int64_t start = bench_now();
	chan_send(first, HOPS);
	int place = chan_recv(last);
	bench_ns_each("ring", start, HOPS);
	bench_work(HOPS, "hops");
	bench_check(place, HOPS % SIZE, "the place of the last");
	return 0;
}
