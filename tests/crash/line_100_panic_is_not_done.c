/* SPDX-License-Identifier: MIT */
/* A panic in a goroutine of a wait group ends the process; its wait does not return before. */
#include <leat.h>

#include <stdio.h>

static void worker(void)
{
	leat_panic("lost");
}

int main(void)
{
	leat_waitgroup wg = {0};

	wg_go0(&wg, worker);
	leat_waitgroup_wait(&wg);
	puts("never");
	fflush(stdout);
	return 0;
}
