/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* An uncaught panic of main: message, blank line, the stack of main with the callers in order. */
#include <leat.h>

__attribute__((noinline)) static void innermost(int v)
{
	leat_panic("value is %d", v);
}

__attribute__((noinline)) static void middle(int v)
{
	innermost(v + 1);
	__asm__ volatile("");
}

int main(int argc, char **argv)
{
	(void)argv;
	middle(argc * 41);
	__asm__ volatile("");
	return 0;
}
