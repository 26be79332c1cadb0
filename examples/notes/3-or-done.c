/* SPDX-License-Identifier: MIT */
/*
 * Reading from a channel of which nobody knows whether it will ever be closed: each receive also watches whether it is
 * still wanted.  The first channel is closed after three values, the second one never: there the context is cancelled.
 */
#include <leat.h>

#include <stdio.h>

struct count {
	send_chan(int) out;
	leat_ctx *cancel;
};

static void count(struct count *a)
{
	for (int i = 1; i <= 3; i++)
		chan_send(a->out, i);
	if (a->cancel)
		leat_ctx_cancel(a->cancel);
	else
		chan_close(a->out);
}

static void read_until_done(const char *name, recv_chan(int) in, leat_ctx *ctx)
{
	int value;

	while (!chan_recv_ctx(in, &value, ctx))
		printf("%s: %d\n", name, value);
	printf("%s: %s\n", name, leat_ctx_err(ctx) ? "no longer wanted" : "closed");
}

int main(void)
{
	scope(s, NULL);
	leat_ctx *ctx = leat_ctx_with_cancel(s);
	chan(int) closed = scope_chan(s, int, 0);
	chan(int) open = scope_chan(s, int, 0);

	scope_go(s, count, .out = chan_sender(closed));
	read_until_done("the first", chan_receiver(closed), ctx);
	scope_go(s, count, .out = chan_sender(open), .cancel = ctx);
	read_until_done("the second", chan_receiver(open), ctx);
}
