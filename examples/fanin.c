/* SPDX-License-Identifier: MIT */
/*
 * fanin: several producers, one consumer that takes from whichever is ready, and patience that ends.
 *
 * A select waits for the first of several channel operations and chooses at random among those that
 * are ready.  A NULL channel is never ready; so a producer that is finished is taken out of the select
 * by forgetting its channel.  One producer here never says anything: the time-out deals with it.
 */
#include <leat.h>

#include <stdio.h>

struct produce {
	send_chan(int) out;
	int first, count;
};

/* Send count numbers from first on, and close: only a sender closes. */
static void produce(struct produce *a)
{
	for (int i = 0; i < a->count; i++)
		chan_send(a->out, a->first + i);
	chan_close(a->out);
}

struct stay_silent {
	recv_chan(leat_empty) over;
	send_chan(int) out;
};

static void stay_silent(struct stay_silent *a)
{
	chan_recv(a->over);
	chan_close(a->out);
}

struct tally {
	int count;
	long sum;
};

static void add(struct tally *t, int n)
{
	t->count++;
	t->sum += n;
}

int main(void)
{
	struct tally low = {0}, high = {0};
	int silent = 0;
	bool patient = true;

	scope(s, NULL);
	chan(int) a = scope_chan(s, int, 0);
	chan(int) b = scope_chan(s, int, 16);
	chan(int) c = scope_chan(s, int, 0);

	scope_go(s, produce, .out = chan_sender(a), .first = 1, .count = 100);
	scope_go(s, produce, .out = chan_sender(b), .first = 1000, .count = 1000);
	scope_go(s, stay_silent, .over = scope_done(s), .out = chan_sender(c));

	while (patient) {
		chan_select {
			case_recv(a, n, ok) {
				if (ok)
					add(&low, n);
				else
					a = NULL;
			}
			case_recv(b, n, ok) {
				if (ok)
					add(&high, n);
				else
					b = NULL;
			}
			case_recv(c)
				silent++;
			/* While a producer lives this is far away; then nothing else is left to happen. */
			case_timeout(a || b ? LEAT_MINUTE : 20 * LEAT_MILLISECOND)
				patient = false;
		}
	}
	printf("low:    %4d numbers, sum %7ld\n", low.count, low.sum);
	printf("high:   %4d numbers, sum %7ld\n", high.count, high.sum);
	printf("silent: %4d numbers, and we waited long enough\n", silent);
	return 0;
}
