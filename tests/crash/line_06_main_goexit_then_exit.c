/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* After main's goexit any goroutine may still end the process as it likes. */
#include <leat.h>

#include <stdlib.h>

static void worker(void)
{
	leat_sleep(20 * LEAT_MILLISECOND);
	exit(5);
}

int main(void)
{
	go0(worker);
	leat_goexit();
}
