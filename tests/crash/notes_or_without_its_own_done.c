/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/*
 * Or by recursion, where the lower half is not told that the upper one has fired: its goroutine stays for ever, and the
 * scope that owns it waits.
 */
#include <leat.h>

struct lower_half {
	recv_chan(leat_empty) a, b;
	send_chan(leat_empty) first;
};

static void lower_half(struct lower_half *h)
{
	chan_select {
		case_recv(h->a)
			;
		case_recv(h->b)
			;
	}
	chan_close(h->first);
}

int main(void)
{
	scope(s, NULL);
	chan(leat_empty) a = scope_chan(s, leat_empty, 0), b = scope_chan(s, leat_empty, 0),
	                 c = scope_chan(s, leat_empty, 0), lower = scope_chan(s, leat_empty, 0);

	scope_go(s, lower_half, chan_receiver(b), chan_receiver(c), chan_sender(lower));
	chan_close(a);
	chan_select {
		case_recv(a)
			;
		case_recv(lower)
			;
	}
	scope_wait(s);
	return 0;
}
