/* SPDX-License-Identifier: MIT */
/*
 * A producer that nobody reads any more must not stay behind.  Main takes three of endless squares and leaves the block
 * of the scope, which tells the producer to stop where it waits to send, and waits until it has.  So the owner of
 * the goroutine ends after it, by whichever way it leaves.
 */
#include <leat.h>

#include <stdio.h>

struct produce {
	leat_scope *scope;
	send_chan(int) out;
};

static void produce(struct produce *a)
{
	defer(puts, "the producer has ended");
	for (int i = 1;; i++) {
		if (chan_send_ctx(a->out, i * i, a->scope))
			return;
	}
}

static void three_squares(void)
{
	scope(s, NULL);
	chan(int) squares = scope_chan(s, int, 0);

	scope_go(s, produce, .scope = s, .out = chan_sender(squares));
	for (int i = 0; i < 3; i++)
		printf("%d\n", chan_recv(squares));
}

int main(void)
{
	three_squares();
	printf("%zu goroutine is left\n", leat_num_goroutine());
}
