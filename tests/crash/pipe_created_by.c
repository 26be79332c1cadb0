/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/*
 * A report says of each stage who made it: the program's function and line, not the library's.  One way of making
 * a stage for each way there is in the library; and the reader of a map whose results are in order.
 */
#include <leat.h>

struct pair {
	size_t n;
	int items[2];
};

static void same(const int *in, int *out)
{
	*out = *in;
}

__attribute__((noinline)) static recv_chan(int) begin(leat_scope *s)
{
	return pipe_repeat(s, int, 1);
}

__attribute__((noinline)) static recv_chan(int) *split(leat_scope *s, recv_chan(int) c)
{
	return pipe_fan_out0(s, c, 1, int, same);
}

__attribute__((noinline)) static recv_chan(int) buffered(leat_scope *s, recv_chan(int) c)
{
	return pipe_buffer(s, c, 0, LEAT_PIPE_BLOCK);
}

__attribute__((noinline)) static recv_chan(struct pair) batched(leat_scope *s, recv_chan(int) c)
{
	return pipe_batch(s, c, struct pair, LEAT_FOREVER);
}

__attribute__((noinline)) static recv_chan(int) flat(leat_scope *s, recv_chan(struct pair) c)
{
	return pipe_unbatch(s, c);
}

__attribute__((noinline)) static recv_chan(int) ordered(leat_scope *s, recv_chan(int) c)
{
	return pipe_map_ordered0(s, c, int, same);
}

int main(void)
{
	scope(s, NULL);
	recv_chan(int) c = begin(s);

	c = buffered(s, split(s, c)[0]);
	c = ordered(s, flat(s, batched(s, c)));
	(void)chan_recv(c);
	scope_wait(s); /* nobody receives any more: for ever */
	return 0;
}
