/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 nofenced locks noemulator */
/*
 * A goroutine that lost its processor to others queues for one at its next call, and may go on on another
 * thread, whatever that call does.
 */
#include <leat.h>

#include <pthread.h>
#include <unistd.h>

static void hog(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void holder(void)
{
	pthread_spinlock_t lock;

	pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
	pthread_spin_lock(&lock);
	for (;;) {
		usleep(1000);
		leat_num_goroutine();
	}
}

int main(void)
{
	for (int i = 0; i < 8; i++)
		go0(hog);
	go0(holder);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
