/* SPDX-License-Identifier: MIT */
/*
 * The or-channel closes as soon as one of many does, or has a value.  A select over an array waits for any number of
 * them at once, so one goroutine is enough, and it ends with the first, or with its scope: the nine thousand nine
 * hundred and ninety-nine others are not held by anything then.
 */
#include <leat.h>

#include <stdio.h>

enum { CHANNELS = 10000 };

struct either {
	const leat_case *cases;
	size_t count;
	send_chan(leat_empty) out;
};

static void either(struct either *a)
{
	leat_select(a->cases, a->count, LEAT_FOREVER, NULL);
	chan_close(a->out);
}

static recv_chan(leat_empty) or_channel(leat_scope *s, recv_chan(leat_empty) *channels,
                                        size_t count)
{
	leat_case *cases = scope_alloc(s, leat_case, count + 1);
	chan(leat_empty) out = scope_chan(s, leat_empty, 0);

	cases[count] = (leat_case){(leat_chan *)scope_done(s), LEAT_RECV, NULL};
	for (size_t i = 0; i < count; i++)
		cases[i] = (leat_case){(leat_chan *)channels[i], LEAT_RECV, NULL};
	scope_go(s, either, .cases = cases, .count = count + 1, .out = chan_sender(out));
	return chan_receiver(out);
}

static void wait_for_one(void)
{
	static recv_chan(leat_empty) channels[CHANNELS];
	chan(leat_empty) last = NULL;
	scope(s, NULL);

	for (int i = 0; i < CHANNELS; i++) {
		last = scope_chan(s, leat_empty, 0);
		channels[i] = chan_receiver(last);
	}
	recv_chan(leat_empty) any = or_channel(s, channels, CHANNELS);
	chan_close(last);
	chan_recv(any);
	printf("one of %d was closed\n", CHANNELS);
}

int main(void)
{
	wait_for_one();
	printf("%zu goroutine is left\n", leat_num_goroutine());
}
