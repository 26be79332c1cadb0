/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced noemulator */
/* A fault whose handler raises it again: the trace leads through the signal to where it was. */
#include <leat.h>

static void store(void *p)
{
	*(volatile int *)p = 1;
}

static void handle(const leat_panic_info *info, void *unused)
{
	(void)unused;
	leat_repanic(info);
}

static void worker(void)
{
	leat_fault_panics(true);
	leat_catch_with(store, NULL, handle, NULL);
	__asm__ volatile("");
}

int main(void)
{
#ifdef __aarch64__
	return 77; /* there the trace ends at the signal */
#endif
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
