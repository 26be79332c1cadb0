/* SPDX-License-Identifier: MIT */
/* Goroutines that are locked to their threads are part of a deadlock, and its report says so. */
#include <leat.h>

static chan(int) c;

static void locked(void)
{
	leat_lock_thread();
	chan_recv(c);
}

int main(void)
{
	c = chan_make(int, 0);
	leat_lock_thread();
	go0(locked);
	leat_sleep(LEAT_MILLISECOND);
	chan_send(chan_make(int, 0), 1);
	return 0;
}
