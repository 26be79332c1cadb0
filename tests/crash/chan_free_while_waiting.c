/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Freeing a channel somebody waits on. */
#include <leat.h>

struct waiter {
	chan(int) c;
};

static void waiter(struct waiter *a)
{
	chan_recv(a->c);
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	go(waiter, c);
	while (leat_num_parked() < 1)
		leat_yield();
	chan_free(c);
	return 0;
}
