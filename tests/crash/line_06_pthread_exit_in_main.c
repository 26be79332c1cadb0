/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* pthread_exit in main is a goexit: the others go on, and when the last has ended that is reported. */
#include <leat.h>

#include <pthread.h>

struct worker {
	chan(int) c;
	int n;
};

static void worker(struct worker *w)
{
	leat_sleep(w->n * LEAT_MILLISECOND);
	if (w->n < 10)
		chan_send(w->c, w->n);
	else
		for (int i = 0; i < 10; i++)
			chan_recv(w->c);
	leat_yield();
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	for (int i = 0; i <= 10; i++)
		go(worker, c, i);
	pthread_exit(NULL);
}
