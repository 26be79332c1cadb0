/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The notes' second or-done does not ask whether there was a value: of a closed channel it passes zeros on for ever.
   scope_range ends. */
#include <leat.h>

#include <stdio.h>

struct or_done {
	leat_scope *s;
	recv_chan(int) in;
	send_chan(int) out;
};

static void or_done(struct or_done *o)
{
	while (!scope_err(o->s)) {
		int v = chan_recv(o->in);

		chan_select {
			case_recv(scope_done(o->s))
				return;
			case_send(o->out, v)
				;
		}
	}
}

int main(void)
{
	static const int one[] = {1};
	scope(s, NULL);
	chan(int) out = scope_chan(s, int, 0);

	scope_go(s, or_done, s, pipe_from_array(s, one, 1), chan_sender(out));
	for (int i = 0; i < 4; i++)
		printf("%d\n", chan_recv(out));
	scope_range(v, pipe_from_array(s, one, 1), s) printf("once %d\n", v);
	return 0;
}
