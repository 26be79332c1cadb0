/* SPDX-License-Identifier: MIT */
/*
 * skynet: a goroutine starts ten, each of which starts ten, six levels down to 1,000,000 leaves;
 * the sums of their numbers come back up, over an unbuffered channel per parent.  The figure is
 * the time of the whole, in a fresh process.
 */
#include "../bench.h"

#include <leat.h>

enum { LEAVES = 1000000, CHILDREN = 10 };

struct node {
	send_chan(int64_t) up;
	int64_t first;
	int64_t leaves;
};

static void node(struct node *a)
{
	if (a->leaves == 1) {
		chan_send(a->up, a->first);
		return;
	}

	chan(int64_t) sums = chan_make(int64_t, 0);
	int64_t each = a->leaves / CHILDREN, sum = 0;

	for (int i = 0; i < CHILDREN; i++)
		go(node, .up = chan_sender(sums), .first = a->first + i * each, .leaves = each);
	for (int i = 0; i < CHILDREN; i++)
		sum += chan_recv(sums);
	chan_free(sums);
	chan_send(a->up, sum);
}

int main(void)
{
	leat_procs(bench_procs());

	chan(int64_t) top = chan_make(int64_t, 0);

	int64_t start = bench_now();
	go(node, .up = chan_sender(top), .first = 0, .leaves = LEAVES);
	int64_t sum = chan_recv(top);
	bench_result("skynet", (double)(bench_now() - start) / 1e6, "ms");
	bench_work(LEAVES, "leaves");
	bench_check(sum, (int64_t)LEAVES * (LEAVES - 1) / 2, "the sum");
	return 0;
}
