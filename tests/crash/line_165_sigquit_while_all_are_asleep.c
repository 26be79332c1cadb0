/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* An idle program, whose monitor sleeps too; the signal comes from another thread. */
#include <leat.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void *quit(void *arg)
{
	(void)arg;
	usleep(100000); /* the more of it sleeps by then the better, but nothing depends on it */
	kill(getpid(), SIGQUIT);
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	pthread_t thread;
	chan(int) c = chan_make(int, 0);

	if (pthread_create(&thread, NULL, quit, NULL) != 0)
		return 77;
	chan_recv(c);
	return 0;
}
