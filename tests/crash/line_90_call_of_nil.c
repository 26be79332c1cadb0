/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A call of NULL has no code of its own: the report goes on with the caller. */
#include <leat.h>

static void (*volatile none)(void);

static void worker(void)
{
	none();
	__asm__ volatile("");
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
