/* SPDX-License-Identifier: MIT */
/* Who waits for stages that nobody drains waits for ever: the report shows where each of them is. */
#include <leat.h>

struct twice {
	int by;
};

static void twice(const int *in, int *out, struct twice *a)
{
	*out = *in * a->by;
}

int main(void)
{
	scope(s, NULL);
	recv_chan(int) c = pipe_map(s, pipe_repeat(s, int, 1), int, twice, .by = 2);

	(void)chan_recv(c);
	scope_wait(s);
	return 0;
}
