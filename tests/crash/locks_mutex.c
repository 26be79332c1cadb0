/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 nofenced locks noemulator */
/* A goroutine waits while its thread holds a mutex: who, in what, which lock, from where, and what to do. */
#include <leat.h>

#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void take(void)
{
	pthread_mutex_lock(&mutex);
	__asm__ volatile(""); /* no tail call */
}

static chan(int) c;

static void worker(void)
{
	take();
	chan_recv(c);
}

static void other(void)
{
}

int main(void)
{
	/* What ends, and what parks without a lock, is none of this. */
	go0(other);
	leat_sleep(LEAT_MILLISECOND);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	c = chan_make(int, 0);
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
