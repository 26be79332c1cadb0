/* SPDX-License-Identifier: MIT */
/*
 * A heartbeat says that a goroutine is alive: at intervals, also while it waits for work or for somebody to take its
 * results; or at each piece of work, which says that it gets on.  Nobody has to listen, so a pulse never waits.  This
 * worker beats until its second piece of work hangs, and that is noticed.
 */
#include <leat.h>

#include <stdio.h>

#define PULSE (20 * LEAT_MILLISECOND)

struct work {
	leat_scope *scope;
	send_chan(leat_empty) heartbeat;
	send_chan(int) results;
};

/* Wait to hand on a result, with a pulse at each interval. */
static void give(struct work *a, int result)
{
	for (bool given = false; !given;) {
		chan_select {
			case_send(a->results, result)
				given = true;
			case_timeout(PULSE)
				chan_try_send(a->heartbeat, {});
		}
	}
}

static void work(struct work *a)
{
	give(a, 1);
	leat_sleep_ctx(LEAT_HOUR, a->scope);
}

int main(void)
{
	int pulses = 0;
	bool healthy = true;
	scope(s, NULL);
	chan(leat_empty) heartbeat = scope_chan(s, leat_empty, 0);
	chan(int) results = scope_chan(s, int, 0);

	scope_go(s, work, s, chan_sender(heartbeat), chan_sender(results));
	for (; pulses < 3; pulses++)
		chan_recv(heartbeat);
	printf("%d pulses and a result: %d\n", pulses, chan_recv(results));
	while (healthy) {
		chan_select {
			case_recv(heartbeat)
				pulses++;
			case_timeout(2 * PULSE)
				healthy = false;
		}
	}
	printf("no pulse for two intervals: the worker is not healthy\n");
}
