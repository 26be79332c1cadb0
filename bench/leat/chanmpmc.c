/* SPDX-License-Identifier: MIT */
/*
 * chanmpmc: four senders and four receivers on one channel with room for 128; per element.
 */
#include "../bench.h"

#include <leat.h>

enum { SENDERS = 4, RECEIVERS = 4, EACH = 8000000, CAPACITY = 128 };

struct sender {
	send_chan(int) out;
	leat_waitgroup *done;
};

static void sender(struct sender *a)
{
	for (int i = 0; i < EACH; i++)
		chan_send(a->out, i);
	leat_waitgroup_done(a->done);
}

struct receiver {
	recv_chan(int) in;
	int64_t *result;
	leat_waitgroup *done;
};

static void receiver(struct receiver *a)
{
	int64_t sum = 0;

	chan_range(v, a->in)
		sum += v;
	*a->result = sum;
	leat_waitgroup_done(a->done);
}

int main(void)
{
	leat_procs(bench_procs());

	chan(int) c = chan_make(int, CAPACITY);
	leat_waitgroup sent = {0}, received = {0};
	int64_t results[RECEIVERS], sum = 0;

	int64_t start = bench_now();
	leat_waitgroup_add(&sent, SENDERS);
	leat_waitgroup_add(&received, RECEIVERS);
	for (int i = 0; i < SENDERS; i++)
		go(sender, .out = chan_sender(c), .done = &sent);
	for (int i = 0; i < RECEIVERS; i++)
		go(receiver, .in = chan_receiver(c), .result = &results[i], .done = &received);
	leat_waitgroup_wait(&sent);
	chan_close(c);
	leat_waitgroup_wait(&received);
	bench_ns_each("chanmpmc", start, (double)SENDERS * EACH);
	bench_work((int64_t)SENDERS * EACH, "elements");
	for (int i = 0; i < RECEIVERS; i++)
		sum += results[i];
	bench_check(sum, SENDERS * ((int64_t)EACH * (EACH - 1) / 2), "the sum");
	return 0;
}
