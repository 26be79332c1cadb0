/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 nofenced */
/*
 * The notes' repeat sees done, but does not return: its select takes the closed channel again and again.  The scope
 * waits for it, and whoever asks why (SIGQUIT) is shown who runs.
 */
#include <leat.h>

#include <signal.h>

struct repeat {
	recv_chan(leat_empty) done;
	send_chan(int) out;
	int *turns;
};

static void repeat(struct repeat *r)
{
	for (;;)
		chan_select {
			case_recv(r->done)
				__atomic_fetch_add(r->turns, 1, __ATOMIC_RELAXED);
			case_send(r->out, 1)
				;
		}
}

struct ask {
	int *turns;
};

static void ask(struct ask *a)
{
	while (__atomic_load_n(a->turns, __ATOMIC_RELAXED) < 10000 || leat_num_parked() != 1)
		leat_yield();
	raise(SIGQUIT);
}

int main(void)
{
	int turns = 0;
	scope(s, NULL);
	chan(int) out = scope_chan(s, int, 0);

	scope_go(s, repeat, scope_done(s), chan_sender(out), &turns);
	chan_recv(out);
	scope_cancel(s);
	go(ask, &turns);
	scope_wait(s);
	return 0;
}
