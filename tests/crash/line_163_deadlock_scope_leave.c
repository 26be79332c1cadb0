/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* The join at the end of a block that cannot end: the goroutine does not look at scope_done. */
#include <leat.h>

struct waiter {
	chan(int) c;
};

static void waiter(struct waiter *a)
{
	chan_recv(a->c);
}

__attribute__((noinline)) static void block(void)
{
	scope(s, NULL);
	scope_go(s, waiter, chan_make(int, 0));
}

int main(void)
{
	block();
	__asm__ volatile("");
	return 0;
}
