/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A plain thread's fault is reported, too; it is never a panic. */
#include <leat.h>

#include <pthread.h>
#include <stdio.h>

static void load(void *arg)
{
	printf("%d\n", *(volatile int *)arg);
}

static void *run(void *arg)
{
	leat_fault_panics(true);
	if (leat_catch(load, arg, NULL))
		puts("caught");
	return NULL;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) != 0)
		return 77;
	leat_sleep(LEAT_MINUTE);
	return 0;
}
