/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/*
 * Goal: SIGQUIT makes the program say what all its goroutines do, although every processor is busy.
 * Method: more loops without end than processors, one in main too, and one goroutine that waits.
 */
#include <leat.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { SPINNERS = 5 };

static atomic_int spinning;

__attribute__((noinline)) static void spin(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void spinner(void)
{
	atomic_fetch_add(&spinning, 1);
	spin();
	__asm__ volatile("");
}

static void waiter(void)
{
	leat_sleep(LEAT_HOUR);
	__asm__ volatile("");
}

int main(void)
{
	go0(waiter);
	while (leat_num_parked() != 1)
		leat_yield();
	for (int i = 0; i < SPINNERS; i++)
		go0(spinner);
	while (atomic_load(&spinning) < SPINNERS)
		leat_yield();
	fputs("kept", stdout);
	kill(getpid(), SIGQUIT);
	spin();
	return 0;
}
