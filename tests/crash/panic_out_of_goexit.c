/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* Goexit runs what was deferred; a panic there that nobody catches is a panic like any other. */
#include <leat.h>

static void fail(const char *message)
{
	leat_panic("%s", message);
}

static void worker(void)
{
	defer(fail, "during goexit");
	leat_goexit();
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
