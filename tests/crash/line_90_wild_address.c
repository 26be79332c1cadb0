/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* An address that is no NULL pointer's is fatal, also where faults panic. */
#include <leat.h>

#include <stdio.h>

static void store(void *arg)
{
	*(volatile int *)arg = 1;
}

static void worker(void)
{
	leat_fault_panics(true);
	leat_catch(store, (void *)0xdead0000, NULL);
	puts("caught");
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
