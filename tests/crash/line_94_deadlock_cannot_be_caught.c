/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* And deadlock. */
#include <leat.h>

#include <stdio.h>

static void receive(void *unused)
{
	chan(int) never = NULL;

	(void)unused;
	defer(puts, "deferred");
	chan_recv(never);
}

int main(void)
{
	puts("begin");
	leat_catch(receive, NULL, NULL);
	puts("caught");
	return 0;
}
