/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A goroutine computes without a call into leat. */
#include <leat.h>

#include <stdio.h>
#include <time.h>

struct sender {
	chan(int) c;
};

static void sender(struct sender *a)
{
	struct timespec begin, now;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < 400);
	chan_send(a->c, 1);
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	go(sender, c);
	chan_recv(c);
	puts("alive");
	return 0;
}
