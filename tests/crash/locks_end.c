/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 nofenced locks noemulator */
/* A goroutine ends, and leaves two locks to its thread, where whoever runs next would seem to hold them. */
#include <leat.h>

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void worker(void)
{
	pthread_mutex_lock(&mutex);
	pthread_rwlock_rdlock(&rwlock);
}

int main(void)
{
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
