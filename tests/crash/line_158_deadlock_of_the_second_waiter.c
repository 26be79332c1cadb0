/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Two wait for one timer: who does not get its value waits for ever. */
#include <leat.h>

#include <stdio.h>

struct waiter {
	leat_timer *t;
};

static void waiter(struct waiter *a)
{
	chan_recv(leat_timer_chan(a->t));
	puts("received");
	fflush(stdout);
}

int main(void)
{
	leat_timer *t = leat_timer_new(20 * LEAT_MILLISECOND);

	go(waiter, t);
	while (leat_num_parked() < 1)
		leat_yield();
	chan_recv(leat_timer_chan(t));
	return 0;
}
