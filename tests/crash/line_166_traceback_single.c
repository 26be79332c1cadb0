/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 */
/* How much a panic says: by LEAT_TRACEBACK, in the .expect files of line_166_*. */
#include <leat.h>

static void waiter(void)
{
	leat_sleep(LEAT_HOUR);
	__asm__ volatile("");
}

__attribute__((noinline)) static void fails(void)
{
	leat_panic("no more");
}

int main(void)
{
	go0(waiter);
	while (leat_num_parked() != 1)
		leat_yield();
	fails();
	__asm__ volatile("");
	return 0;
}
