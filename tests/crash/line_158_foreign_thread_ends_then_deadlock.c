/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced */
/*
 * The last plain thread ends without having woken anybody, seen by nobody but a sleeping goroutine,
 * whose own end makes the deadlock certain.
 */
#include <leat.h>

#include <pthread.h>
#include <unistd.h>

static void *plain(void *arg)
{
	(void)arg;
	usleep(100000);
	return NULL;
}

static void sleeper(void)
{
	leat_sleep(500 * LEAT_MILLISECOND);
}

int main(void)
{
	chan(int) c = chan_make(int, 0);
	pthread_t thread;

	if (pthread_create(&thread, NULL, plain, NULL) != 0)
		return 77;
	pthread_detach(thread);
	go0(sleeper);
	chan_recv(c);
	return 0;
}
