/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A sleep is pending. */
#include <leat.h>

#include <stdio.h>

struct sender {
	chan(int) c;
};

static void sender(struct sender *a)
{
	leat_sleep(200 * LEAT_MILLISECOND);
	chan_send(a->c, 1);
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	go(sender, c);
	chan_recv(c);
	leat_sleep(100 * LEAT_MILLISECOND);
	puts("alive");
	return 0;
}
