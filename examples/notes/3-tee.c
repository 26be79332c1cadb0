/* SPDX-License-Identifier: MIT */
/*
 * A tee gives each value to two readers.  It takes the next one when both have had this one, whichever was first, and
 * so neither gets ahead by more than one: the slower reader sets the pace.
 */
#include <leat.h>

#include <stdio.h>

struct tee {
	leat_scope *scope;
	recv_chan(int) in;
	send_chan(int) one, other;
};

static void tee(struct tee *a)
{
	chan_range(value, a->in) {
		bool one = false, other = false;

		while (!one || !other) {
			chan_select {
				case_send_if(!one, a->one, value)
					one = true;
				case_send_if(!other, a->other, value)
					other = true;
				case_recv(scope_done(a->scope))
					return;
			}
		}
	}
	chan_close(a->one);
	chan_close(a->other);
}

int main(void)
{
	scope(s, NULL);
	chan(int) in = scope_chan(s, int, 4);
	chan(int) one = scope_chan(s, int, 0);
	chan(int) other = scope_chan(s, int, 0);

	scope_go(s, tee, s, chan_receiver(in), chan_sender(one), chan_sender(other));
	for (int i = 1; i <= 4; i++)
		chan_send(in, i);
	chan_close(in);
	chan_range(value, one)
		printf("one: %d, other: %d\n", value, chan_recv(other));
}
