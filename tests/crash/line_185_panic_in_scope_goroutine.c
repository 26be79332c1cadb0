/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* A goroutine's panic is not its scope's business: the process ends at once. */
#include <leat.h>

static void worker(void)
{
	leat_panic("no join");
}

int main(void)
{
	scope(s, NULL);
	scope_go0(s, worker);
	scope_wait(s);
	return 0;
}
