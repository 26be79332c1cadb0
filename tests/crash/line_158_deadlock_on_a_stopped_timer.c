/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* Somebody waits for a timer; then it is stopped. */
#include <leat.h>

struct stopper {
	leat_timer *t;
};

static void stopper(struct stopper *a)
{
	while (leat_num_parked() < 1)
		leat_yield();
	leat_timer_stop(a->t);
}

int main(void)
{
	leat_timer *t = leat_timer_new(LEAT_HOUR);

	go(stopper, t);
	chan_select {
		case_recv(leat_timer_chan(t)) {
		}
	}
	return 0;
}
