/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced locks noemulator */
/* A yield to somebody leaves the thread, too; main is a goroutine like any other; FILEs have locks. */
#include <leat.h>

#include <stdio.h>

static void other(void)
{
}

int main(void)
{
	go0(other);
	flockfile(stdout);
	leat_yield();
	return 0;
}
