/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A join that cannot end: its goroutine waits for nobody. */
#include <leat.h>

struct waiter {
	chan(int) c;
};

static void waiter(struct waiter *a)
{
	chan_recv(a->c);
}

int main(void)
{
	scope(s, NULL);
	scope_go(s, waiter, chan_make(int, 0));
	scope_wait(s);
	return 0;
}
