/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* Main has left, the others wait for ever: that is the usual deadlock, without goroutine 1. */
#include <leat.h>

static void waiter(void)
{
	chan(int) c = NULL;

	chan_recv(c);
}

int main(void)
{
	go0(waiter);
	leat_goexit();
}
