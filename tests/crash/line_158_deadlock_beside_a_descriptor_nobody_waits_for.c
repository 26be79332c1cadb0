/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A descriptor that was waited for, and a thread that still sleeps in the poller, hide nothing. */
#include <leat.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

struct waiter {
	int fd;
};

static void waiter(struct waiter *w)
{
	leat_wait_fd(w->fd, POLLIN, LEAT_FOREVER);
}

int main(void)
{
	chan(int) c = chan_make(int, 0);
	int fd[2];

	if (pipe(fd) != 0)
		return 1;
	go(waiter, .fd = fd[0]);
	while (leat_num_parked() == 0)
		leat_yield();
	if (leat_wait_fd(fd[0], POLLIN, LEAT_MILLISECOND) != -ETIMEDOUT)
		return 1;
	if (leat_forget_fd(fd[0]) != 0)
		return 1;
	puts("forgotten");
	chan_recv(c);
	return 0;
}
