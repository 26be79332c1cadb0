/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* Main's, too; what it printed before is not lost. */
#include <leat.h>

#include <stdio.h>

__attribute__((noinline)) static void store(volatile int *p, int v)
{
	*p = v;
}

int main(int argc, char **argv)
{
	(void)argv;
	leat_yield();
	printf("before");
	store(NULL, argc);
	__asm__ volatile("");
	return 0;
}
