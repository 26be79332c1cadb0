/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Where faults panic, what was deferred runs, and the hook; an uncaught one is reported from where it was. */
#include <leat.h>

#include <stdio.h>

static void hook(const leat_panic_info *info, void *unused)
{
	(void)unused;
	printf("hook: %d %s\n", info->runtime, info->message);
}

__attribute__((noinline)) static void store(volatile int *p)
{
	*p = 1;
}

static void worker(void)
{
	leat_fault_panics(true);
	defer(puts, "deferred");
	store(NULL);
	__asm__ volatile("");
}

int main(void)
{
	leat_on_panic(hook, NULL);
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
