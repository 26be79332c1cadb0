/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* So is starting a goroutine with NULL. */
#include <leat.h>

#include <stdio.h>

static void start(void *unused)
{
	(void)unused;
	defer(puts, "deferred");
	leat_go(NULL, NULL, 0);
}

int main(void)
{
	puts("begin");
	leat_catch(start, NULL, NULL);
	puts("caught");
	return 0;
}
