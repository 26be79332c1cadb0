/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 */
/* A function that is to run later keeps the process alive; afterwards nothing does. */
#include <leat.h>

#include <stdio.h>

static chan(int) c;

static void function(void *arg)
{
	(void)arg;
	chan_send(c, 1);
}

int main(void)
{
	leat_timer *t;

	c = chan_make(int, 0);
	t = leat_after_func(50 * LEAT_MILLISECOND, function, NULL);
	chan_recv(c);
	puts("alive");
	fflush(stdout);
	leat_timer_reset(t, LEAT_HOUR);
	leat_timer_stop(t);
	chan_recv(c);
	return 0;
}
