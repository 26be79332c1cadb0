/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The notes' example of a done channel: the helper sleeps, and forgets to close it; the worker's input is NULL. */
#include <leat.h>

struct work {
	recv_chan(leat_empty) done;
	recv_chan(const char *) strings;
	send_chan(leat_empty) terminated;
};

static void work(struct work *w)
{
	for (;;)
		chan_select {
			case_recv(w->strings, s)
				(void)s;
			case_recv(w->done) {
				chan_close(w->terminated);
				return;
			}
		}
}

struct helper {
	send_chan(leat_empty) done;
};

static void helper(struct helper *h)
{
	leat_sleep(50 * LEAT_MILLISECOND);
	(void)h->done;
}

int main(void)
{
	chan(leat_empty) done = chan_make(leat_empty, 0), terminated = chan_make(leat_empty, 0);

	go(work, chan_receiver(done), NULL, chan_sender(terminated));
	go(helper, chan_sender(done));
	chan_recv(terminated);
	return 0;
}
