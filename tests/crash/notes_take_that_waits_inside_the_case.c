/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/*
 * The notes' take receives the value in the case that sends it: that is evaluated before the select waits, so done is
 * not seen while the input is silent.
 */
#include <leat.h>

struct take {
	recv_chan(leat_empty) done;
	recv_chan(int) in;
	send_chan(int) out;
	int n;
};

static void take(struct take *t)
{
	for (int i = 0; i < t->n; i++)
		chan_select {
			case_recv(t->done)
				return;
			case_send(t->out, chan_recv(t->in))
				;
		}
}

int main(void)
{
	scope(s, NULL);
	chan(int) silent = scope_chan(s, int, 0), out = scope_chan(s, int, 0);

	scope_go(s, take, scope_done(s), chan_receiver(silent), chan_sender(out), 10);
	scope_cancel(s);
	scope_wait(s);
	return 0;
}
