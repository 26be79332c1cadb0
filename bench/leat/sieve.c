/* SPDX-License-Identifier: MIT */
/*
 * sieve: the first 4,000 primes out of a chain of filters, a goroutine and an unbuffered channel
 * per prime; the figure is the time of the whole.  Numbers of 32 bits in every language, because
 * the division of 64 costs more.
 */
#include "../bench.h"

#include <leat.h>

enum { PRIMES = 4000, LAST_PRIME = 37813 };

struct count {
	send_chan(int32_t) out;
};

static void count(struct count *a)
{
	for (int32_t i = 2;; i++)
		chan_send(a->out, i);
}

struct filter {
	recv_chan(int32_t) in;
	send_chan(int32_t) out;
	int32_t prime;
};

static void filter(struct filter *a)
{
	int32_t prime = a->prime;

	chan_range(v, a->in)
		if (v % prime != 0)
			chan_send(a->out, v);
}

int main(void)
{
	leat_procs(bench_procs());

	chan(int32_t) in = chan_make(int32_t, 0);
	int32_t prime = 0;

	int64_t start = bench_now();
	go(count, .out = chan_sender(in));
	for (int i = 0; i < PRIMES; i++) {
		chan(int32_t) out = chan_make(int32_t, 0);

		prime = chan_recv(in);
		go(filter, .in = chan_receiver(in), .out = chan_sender(out), .prime = prime);
		in = out;
	}
	bench_result("sieve", (double)(bench_now() - start) / 1e6, "ms");
	bench_work(PRIMES, "primes");
	bench_check(prime, LAST_PRIME, "the last prime");
	return 0;
}
