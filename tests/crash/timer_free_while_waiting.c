/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
#include <leat.h>

struct waiter {
	leat_timer *t;
};

static void waiter(struct waiter *a)
{
	chan_recv(leat_timer_chan(a->t));
}

int main(void)
{
	leat_timer *t = leat_timer_new(LEAT_HOUR);

	go(waiter, t);
	while (leat_num_parked() < 1)
		leat_yield();
	leat_timer_free(t);
	return 0;
}
