/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* pthread_exit would take a thread away from under the scheduler. */
#include <leat.h>

#include <pthread.h>

static void exits(void)
{
	leat_yield();
	pthread_exit(NULL);
}

int main(void)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go0(exits);
	leat_waitgroup_wait(&wg);
	return 0;
}
