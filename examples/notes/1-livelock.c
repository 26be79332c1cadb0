/* SPDX-License-Identifier: MIT */
/*
 * A livelock: all are busy, and nothing gets done.  Two people meet in a corridor.  Each sees the other in the way and
 * steps aside, at the same time and to the same side, and so again.  Five times; by themselves they would never stop.
 * It takes something that differs between the two, such as chance, or one who goes first.
 */
#include <leat.h>

#include <stdio.h>

struct walk {
	const char *name;
	send_chan(int) my_side;
	recv_chan(int) your_side;
};

static void walk(struct walk *a)
{
	int side = 0;

	for (int try = 1; try <= 5; try++) {
		chan_send(a->my_side, side);
		if (chan_recv(a->your_side) != side) {
			printf("%s walks on\n", a->name);
			return;
		}
		printf("%s, %d: after you\n", a->name, try);
		side = !side;
	}
	printf("%s, 6: oh well\n", a->name);
}

int main(void)
{
	scope(s, NULL);
	chan(int) east = scope_chan(s, int, 1);
	chan(int) west = scope_chan(s, int, 1);

	scope_go(s, walk, "Ada", chan_sender(east), chan_receiver(west));
	scope_go(s, walk, "Ben", chan_sender(west), chan_receiver(east));
	scope_wait(s);
}
