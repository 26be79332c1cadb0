/* SPDX-License-Identifier: MIT */
/*
 * The owner of a channel makes it, writes to it and closes it; all others get an end to read from.  A reader can then do
 * nothing wrong: to send or to close through its end does not compile.  The buffer lets the owner be ahead by four.
 */
#include <leat.h>

#include <stdio.h>

struct own {
	send_chan(int) out;
};

static void own(struct own *a)
{
	for (int i = 0; i < 10; i++)
		chan_send(a->out, i);
	chan_close(a->out);
}

static recv_chan(int) channel_owner(leat_scope *s)
{
	chan(int) c = scope_chan(s, int, 4);

	scope_go(s, own, .out = chan_sender(c));
	return chan_receiver(c);
}

int main(void)
{
	scope(s, NULL);
	recv_chan(int) numbers = channel_owner(s);
	int n = 1;
	bool ok;

	chan_range(i, numbers)
		printf("%d\n", i);
	ok = chan_recv_ok(numbers, &n);
	printf("then %d, which is %s\n", n, ok ? "one more" : "none");
	printf("there was room for %zu\n", chan_cap(numbers));
}
