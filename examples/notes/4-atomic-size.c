/* SPDX-License-Identifier: MIT */
/*
 * What cannot be interrupted should be small.  A long calculation that looks at its context between steps ends at most
 * one step after it is told to; one that looked only at the end would do all of them for nothing.
 */
#include <leat.h>

#include <stdio.h>

enum { STEPS = 1000 };

struct calculate {
	leat_scope *scope;
	send_chan(int) progress;
};

/* The part that cannot be interrupted. */
static void step(void)
{
	leat_sleep(LEAT_MILLISECOND);
}

static void calculate(struct calculate *a)
{
	int steps = 0;

	while (steps < STEPS && !chan_send_ctx(a->progress, steps, a->scope)) {
		step();
		steps++;
	}
	printf("ended after %d of %d steps\n", steps, STEPS);
}

int main(void)
{
	scope(s, NULL);
	chan(int) progress = scope_chan(s, int, 0);

	scope_go(s, calculate, .scope = s, .progress = chan_sender(progress));
	while (chan_recv(progress) < 3)
		continue;
	printf("no longer needed\n");
	scope_cancel(s);
	scope_wait(s);
}
