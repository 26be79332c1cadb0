/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* LEAT_DEBUG=deadlock makes the suspicion fatal. */
#include <leat.h>

#include <pthread.h>
#include <unistd.h>

static void *plain(void *arg)
{
	(void)arg;
	while (pause() != 0)
		;
	return NULL;
}

int main(void)
{
	chan(int) c = chan_make(int, 0);
	pthread_t thread;

	if (pthread_create(&thread, NULL, plain, NULL) != 0)
		return 77;
	chan_recv(c);
	return 0;
}
