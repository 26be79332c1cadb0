/* SPDX-License-Identifier: MIT */
/*
 * Communicating sequential processes: a process reads, computes and writes, and another reads what it wrote.  Hoare's
 * COPY is *[c: character; west?c -> X!c]: for as long as something comes, send it on.  His bounded buffer has two
 * guarded commands: it takes only while there is room, and gives only while it holds something.
 */
#include <leat.h>

#include <stdio.h>

enum { ROOM = 4 };

struct copy {
	recv_chan(char) west;
	send_chan(char) x;
};

static void copy(struct copy *a)
{
	chan_range(c, a->west)
		chan_send(a->x, c);
	chan_close(a->x);
}

struct buffer {
	recv_chan(char) x;
	send_chan(char) east;
};

static void buffer(struct buffer *a)
{
	char held[ROOM];
	int in = 0, out = 0;
	bool more = true;

	while (more || out < in) {
		chan_select {
			case_recv_if(more &&in < out + ROOM, a->x, c, ok) {
				more = ok;
				if (ok)
					held[in++ % ROOM] = c;
			}
			case_send_if(out < in, a->east, held[out % ROOM])
				out++;
		}
	}
	chan_close(a->east);
}

int main(void)
{
	scope(s, NULL);
	chan(char) west = scope_chan(s, char, 0);
	chan(char) x = scope_chan(s, char, 0);
	chan(char) east = scope_chan(s, char, 0);

	scope_go(s, copy, .west = chan_receiver(west), .x = chan_sender(x));
	scope_go(s, buffer, .x = chan_receiver(x), .east = chan_sender(east));
	for (const char *c = "west"; *c; c++)
		chan_send(west, *c);
	chan_close(west);
	chan_range(c, east)
		printf("%c\n", c);
}
