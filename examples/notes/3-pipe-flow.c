/* SPDX-License-Identifier: MIT */
/*
 * A buffer, batches and types by the library.  Values of any type are made of one again; they are gathered in threes,
 * the last batch being what was left.  The buffer at the entrance drops what comes when it is full, and says how many.
 */
#include <leat.h>

#include <stdio.h>

struct batch {
	size_t n;
	int items[3];
};

int main(void)
{
	int served = 0;
	scope(s, NULL);
	chan(leat_any) values = scope_chan(s, leat_any, 8);
	chan(int) entrance = scope_chan(s, int, 0);

	for (int i = 1; i <= 8; i++)
		chan_send(values, any_of(i * i));
	chan_close(values);
	chan_range(b, pipe_batch(s, pipe_cast(s, values, int), struct batch, LEAT_FOREVER))
		printf("%zu, the last of them %d\n", b.n, b.items[b.n - 1]);

	recv_chan(int) let_in = pipe_buffer(s, entrance, 3, LEAT_PIPE_DROP_NEWEST);
	for (int i = 0; i < 10; i++)
		chan_send(entrance, i);
	chan_close(entrance);
	chan_range(request, let_in)
		served++;
	printf("%d requests were served or turned away\n", served + (int)pipe_lost(s, let_in));
}
