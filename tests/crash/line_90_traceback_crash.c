/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* For a core file the process ends by a signal after the report. */
#include <leat.h>

static void worker(void)
{
	*(volatile int *)NULL = 1; /* NOLINT */
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
