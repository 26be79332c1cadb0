/* SPDX-License-Identifier: MIT */
/*
 * Streams that are split and joined by the library: a bridge makes one of two, a tee two of one, and an or-channel tells
 * when the first of several has something.  The last loop ends with the scope, since nobody closes its channel.
 */
#include <leat.h>

#include <stdio.h>

typedef recv_chan(int) stream;

int main(void)
{
	static const int low[] = {1, 2}, high[] = {11, 12};
	scope(s, NULL);
	chan(int) open = scope_chan(s, int, 1);
	stream streams[] = {pipe_from_array(s, low, 2), pipe_from_array(s, high, 2)};
	stream *twice = pipe_tee(s, pipe_bridge(s, pipe_from_array(s, streams, 2)), 2);

	chan_range(value, twice[0])
		printf("one: %d, other: %d\n", value, chan_recv(twice[1]));

	chan_send(open, 5);
	recv_chan(leat_empty) any = pipe_or(s, pipe_repeat(s, int, 1), scope_chan(s, int, 0));
	chan_recv(any);
	printf("one of them had something\n");

	scope_range(value, open, s)
	{
		printf("from an open channel: %d\n", value);
		scope_cancel(s);
	}
	printf("no longer wanted\n");
}
