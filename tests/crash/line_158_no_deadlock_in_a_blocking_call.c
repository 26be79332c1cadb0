/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A goroutine sits in a system call. */
#include <leat.h>

#include <stdio.h>
#include <unistd.h>

struct sender {
	chan(int) c;
};

static void sender(struct sender *a)
{
	FILE *f = popen("sleep 0.3; echo x", "r");

	if (!f || fgetc(f) != 'x')
		leat_panic("popen");
	pclose(f);
	usleep(100000);
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
