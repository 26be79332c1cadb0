/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* Starting NULL cannot be caught. */
#include <leat.h>

#include <stdio.h>

static void start_nothing(void *arg)
{
	void (*nothing)(void) = arg;

	go0(nothing);
	puts("never");
}

int main(void)
{
	printf("before\n");
	leat_catch(start_nothing, NULL, NULL);
	puts("never");
	return 0;
}
