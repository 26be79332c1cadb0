/* SPDX-License-Identifier: MIT */
/*
 * pingpong: a value there and back over two unbuffered channels; the figure is per round trip.
 */
#include "../bench.h"

#include <leat.h>

enum { TRIPS = 5000000 };

struct echo {
	recv_chan(int) in;
	send_chan(int) out;
};

static void echo(struct echo *a)
{
	chan_range(v, a->in)
		chan_send(a->out, v + 1);
	chan_close(a->out);
}

int main(void)
{
	leat_procs(bench_procs());

	chan(int) ping = chan_make(int, 0);
	chan(int) pong = chan_make(int, 0);
	int64_t sum = 0;

	int64_t start = bench_now();
	go(echo, .in = chan_receiver(ping), .out = chan_sender(pong));
	for (int i = 0; i < TRIPS; i++) {
		chan_send(ping, i);
		sum += chan_recv(pong);
	}
	bench_ns_each("pingpong", start, TRIPS);
	bench_work(TRIPS, "round trips");
	bench_check(sum, (int64_t)TRIPS * (TRIPS + 1) / 2, "the sum");
	chan_close(ping);
	return 0;
}
