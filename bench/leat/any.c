/* SPDX-License-Identifier: MIT */
/*
 * any: one function puts a number into a leat_any with its type, another asks for it by that type; then the
 * same with the leat_any sent on a channel of one slot and received in between.
 */
#include "../bench.h"

#include <leat.h>

enum { TIMES = 20000000, SENDS = 5000000 };

__attribute__((noinline)) static leat_any wrap(int n)
{
	return any_of(n);
}

__attribute__((noinline)) static int unwrap(leat_any a)
{
	int n;

	return any_as(int, a, &n) ? n : -1;
}

int main(void)
{
	chan(leat_any) c = chan_make(leat_any, 1);
	int64_t sum = 0, start;

	leat_procs(bench_procs());
	start = bench_now();
	for (int i = 0; i < TIMES; i++)
		sum += unwrap(wrap(i & 0xffff));
	bench_ns_each("any", start, TIMES);
	start = bench_now();
	for (int i = 0; i < SENDS; i++) {
		chan_send(c, wrap(i & 0xffff));
		sum -= unwrap(chan_recv(c));
	}
	bench_ns_each("any_chan", start, SENDS);
	bench_work(TIMES, "round trips");
	for (int i = SENDS; i < TIMES; i++)
		sum -= i & 0xffff;
	bench_check(sum, 0, "what the sums differ by");
	chan_free(c);
	return 0;
}
