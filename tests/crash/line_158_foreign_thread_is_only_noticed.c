/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A plain thread may still wake somebody: one notice, however often. */
#include <leat.h>

#include <stdio.h>
#include <pthread.h>
#include <unistd.h>

static void *plain(void *arg)
{
	chan(int) c = arg;

	usleep(300000);
	chan_send(c, 1);
	usleep(300000);
	chan_send(c, 2);
	return NULL;
}

int main(void)
{
	chan(int) c = chan_make(int, 0);
	pthread_t thread;

	if (pthread_create(&thread, NULL, plain, (void *)c) != 0)
		return 77;
	chan_recv(c);
	chan_recv(c);
	pthread_join(thread, NULL);
	puts("alive");
	return 0;
}
