/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* So is the fault of a thread that leat has never seen. */
#include <leat.h>

#include <pthread.h>
#include <stdio.h>

static void *run(void *arg)
{
	printf("%d\n", *(volatile int *)arg);
	return NULL;
}

int main(void)
{
	pthread_t thread;

	leat_yield();
	if (pthread_create(&thread, NULL, run, NULL) != 0)
		return 77;
	leat_sleep(LEAT_MINUTE);
	return 0;
}
