/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4,8 */
/* After sleeps, calls that block, threads that ended and much work it is seen all the same. */
#include <leat.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

struct work {
	chan(int) c;
	int n;
};

static void work(struct work *a)
{
	if (a->n % 3 == 0)
		leat_sleep(a->n * LEAT_MICROSECOND);
	if (a->n % 10 == 0)
		usleep(1000);
	chan_send(a->c, a->n);
}

static void *plain(void *arg)
{
	chan(int) c = arg;

	for (int i = 0; i < 10; i++)
		chan_send(c, i);
	return NULL;
}

int main(void)
{
	chan(int) c = chan_make(int, 0);
	pthread_t thread;

	for (int i = 0; i < 200; i++)
		go(work, c, i);
	if (pthread_create(&thread, NULL, plain, (void *)c) != 0)
		return 77;
	for (int i = 0; i < 210; i++)
		chan_recv(c);
	pthread_join(thread, NULL);
	puts("worked");
	chan_recv(c); /* one more */
	return 0;
}
