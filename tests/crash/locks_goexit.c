/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced locks noemulator */
/* The same of main, by goexit; with more locks than a report shows. */
#include <leat.h>

#include <pthread.h>

static pthread_mutex_t mutexes[10];

int main(void)
{
	for (int i = 0; i < 10; i++) {
		pthread_mutex_init(&mutexes[i], NULL);
		pthread_mutex_lock(&mutexes[i]);
	}
	leat_goexit();
}
