/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A plain thread may still wake somebody, though no descriptor is left by which threads are counted. */
#include <leat.h>

#include <stdio.h>
#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

static void *plain(void *arg)
{
	usleep(300000);
	chan_send((chan(int))arg, 1);
	return NULL;
}

int main(void)
{
	chan(int) c = chan_make(int, 0);
	struct rlimit limit;
	pthread_t thread;

	if (pthread_create(&thread, NULL, plain, (void *)c) != 0)
		return 77;
	leat_yield(); /* the first call may open files */
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 0;
	setrlimit(RLIMIT_NOFILE, &limit);
	chan_recv(c);
	pthread_join(thread, NULL);
	puts("alive");
	fflush(stdout);
	chan_recv(c); /* and now that there is none, that is seen, too */
	return 0;
}
