/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/* A hook cannot leave its panic behind: the process dies all the same. */
#include <leat.h>

#include <stdio.h>

static void hook(const leat_panic_info *info, void *unused)
{
	(void)info;
	(void)unused;
	puts("hook");
	leat_goexit();
}

static void worker(void)
{
	leat_panic("for good");
}

int main(void)
{
	leat_on_panic(hook, NULL);
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
