/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Plain threads asleep in leat hide nothing: there is nobody left. */
#include <leat.h>

#include <pthread.h>

static void *plain(void *arg)
{
	chan(int) c = arg;

	chan_recv(c);
	return NULL;
}

int main(void)
{
	chan(int) c = chan_make(int, 0);
	leat_mutex m = {0};
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		if (pthread_create(&threads[i], NULL, plain, (void *)c) != 0)
			return 77;
	leat_mutex_lock(&m);
	leat_mutex_lock(&m);
	return 0;
}
