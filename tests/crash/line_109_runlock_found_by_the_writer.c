/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 */
/* Its readers are counted by processor, and a plain thread's stripe has sunk often enough by honest means. */
#include <leat.h>

#include <pthread.h>

static leat_rwmutex m;

static void *unlock(void *n)
{
	for (int i = 0; i < *(int *)n; i++)
		leat_rwmutex_runlock(&m);
	return NULL;
}

static void unlock_in_thread(int n)
{
	pthread_t t;

	pthread_create(&t, NULL, unlock, &n);
	pthread_join(t, NULL);
}

int main(void)
{
	for (int i = 0; i < 5000; i++) {
		leat_rwmutex_rlock(&m);
		leat_rwmutex_runlock(&m);
	}
	for (int i = 0; i < 10; i++)
		leat_rwmutex_rlock(&m);
	unlock_in_thread(10);
	unlock_in_thread(1);
	leat_rwmutex_lock(&m);
	return 0;
}
