/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* The sender panics, in its own goroutine and at its own place. */
#include <leat.h>

struct sender {
	chan(int) c;
};

static void sender(struct sender *a)
{
	chan_send(a->c, 1);
	__asm__ volatile("");
}

int main(void)
{
	chan(int) c = chan_make(int, 0);

	go(sender, c);
	while (leat_num_parked() < 1)
		leat_yield();
	chan_close(c);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
