/* SPDX-License-Identifier: MIT */
/*
 * A pipeline of the library's stages: each is a call that takes a channel and returns one.  They belong to the scope,
 * close what they send on, and end when its block is left, wherever they wait; so a consumer may stop after one value
 * of endlessly many.
 */
#include <leat.h>

#include <stdio.h>

struct multiply {
	int by;
};

static void multiply(const int *in, int *out, struct multiply *a)
{
	*out = *in * a->by;
}

static void increment(const int *in, int *out)
{
	*out = *in + 1;
}

int main(void)
{
	static const int numbers[] = {1, 2, 3, 4};
	scope(s, NULL);
	recv_chan(int) doubled = pipe_map(s, pipe_from_array(s, numbers, 4), int, multiply, .by = 2);
	recv_chan(int) more = pipe_map0(s, doubled, int, increment);

	chan_range(value, pipe_map(s, more, int, multiply, .by = 2))
		printf("%d\n", value);

	recv_chan(int) endless = pipe_map0(s, pipe_repeat(s, int, 6, 7), int, increment);
	printf("one of endlessly many: %d\n", chan_recv(endless));
	chan_range(value, pipe_take(s, endless, 3))
		printf("and three more: %d\n", value);
}
