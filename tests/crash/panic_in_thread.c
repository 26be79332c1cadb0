/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2 nofenced */
/* A plain thread's panic ends the process too. */
#include <leat.h>

#include <pthread.h>

static void *run(void *arg)
{
	(void)arg;
	leat_panic("in a thread");
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run, NULL) != 0)
		return 77;
	leat_sleep(LEAT_MINUTE);
	return 0;
}
