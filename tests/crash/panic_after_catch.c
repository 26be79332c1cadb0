/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* What was caught before plays no part. */
#include <leat.h>

#include <stdio.h>

static void fail(void *message)
{
	leat_panic("%s", (char *)message);
}

int main(void)
{
	if (leat_catch(fail, "caught", NULL))
		puts("caught");
	fail("not caught");
	__asm__ volatile("");
	return 0;
}
