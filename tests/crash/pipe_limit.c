/* SPDX-License-Identifier: MIT */
/* A limit counts stages: the second waits for a place that the first will never leave. */
#include <leat.h>

static bool yes(const int *in)
{
	(void)in;
	return true;
}

int main(void)
{
	scope(s, NULL);
	recv_chan(int) c;

	scope_limit(s, 1);
	c = pipe_repeat(s, int, 1);
	c = pipe_filter0(s, c, yes);
	(void)chan_recv(c);
	return 0;
}
