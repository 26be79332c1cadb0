/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats by the library: every call of a worker that may wait beats at each interval meanwhile, and somebody else
 * watches, and is told when it is two intervals behind.  This worker waits a while for its first result to be taken, and
 * then hangs in a call that does not beat.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

struct work {
	leat_scope *scope;
	leat_heartbeat *heart;
	send_chan(int) results;
};

static void work(struct work *a)
{
	defer(leat_heartbeat_close, a->heart);
	if (!heartbeat_send(a->heart, a->results, 1, a->scope))
		leat_sleep_ctx(LEAT_HOUR, a->scope);
}

int main(void)
{
	leat_heartbeat *heart = leat_heartbeat_make(20 * LEAT_MILLISECOND);
	defer(leat_heartbeat_free, heart);
	scope(s, NULL);
	chan(int) results = scope_chan(s, int, 0);
	int err = 0;

	scope_go(s, work, .scope = s, .heart = heart, .results = chan_sender(results));
	for (int pulses = 0; pulses < 3 && !err; pulses++)
		err = leat_heartbeat_wait(heart, LEAT_FOREVER, s);
	printf("three pulses: %s\n", err ? "no" : "yes");
	printf("a result: %d\n", chan_recv(results));
	err = leat_heartbeat_watch(heart, 0, s);
	printf("and then: %s\n", err == -ETIME ? "two intervals without a pulse" : "its end");
}
