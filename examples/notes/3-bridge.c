/* SPDX-License-Identifier: MIT */
/*
 * A bridge makes one stream of a channel of channels: all that comes on the first, then all of the next.  The reader
 * sees one channel; that its source is replaced from time to time, as when a worker is started anew, is not his concern.
 */
#include <leat.h>

#include <stdio.h>

typedef recv_chan(int) stream;

struct bridge {
	leat_scope *scope;
	recv_chan(stream) streams;
	send_chan(int) out;
};

static void bridge(struct bridge *a)
{
	stream in;
	int value;

	while (!chan_recv_ctx(a->streams, &in, a->scope)) {
		while (!chan_recv_ctx(in, &value, a->scope)) {
			if (chan_send_ctx(a->out, value, a->scope))
				return;
		}
	}
	chan_close(a->out);
}

struct make_streams {
	leat_scope *scope;
	send_chan(stream) out;
};

static void make_streams(struct make_streams *a)
{
	for (int i = 0; i < 3; i++) {
		chan(int) c = scope_chan(a->scope, int, 2);

		chan_send(c, 10 * i);
		chan_send(c, 10 * i + 1);
		chan_close(c);
		chan_send(a->out, chan_receiver(c));
	}
	chan_close(a->out);
}

int main(void)
{
	scope(s, NULL);
	chan(stream) streams = scope_chan(s, stream, 0);
	chan(int) all = scope_chan(s, int, 0);

	scope_go(s, make_streams, s, chan_sender(streams));
	scope_go(s, bridge, s, chan_receiver(streams), chan_sender(all));
	chan_range(value, all)
		printf("%d\n", value);
}
