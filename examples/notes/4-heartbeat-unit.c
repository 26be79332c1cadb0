/* SPDX-License-Identifier: MIT */
/*
 * A pulse at the beginning of each unit of work.  It goes into a channel with room for one, so that it is there for who
 * looks later, and is dropped if one lies there already.  Whoever needs to know that the work has begun, a test for
 * example, waits for the first pulse; no sleep would be long enough.
 */
#include <leat.h>

#include <stdio.h>

struct work {
	send_chan(leat_empty) heartbeat;
	send_chan(int) results;
};

static void work(struct work *a)
{
	for (int unit = 1; unit <= 4; unit++) {
		chan_try_send(a->heartbeat, {});
		chan_send(a->results, unit * unit);
	}
	chan_close(a->results);
}

int main(void)
{
	scope(s, NULL);
	chan(leat_empty) heartbeat = scope_chan(s, leat_empty, 1);
	chan(int) results = scope_chan(s, int, 0);

	scope_go(s, work, .heartbeat = chan_sender(heartbeat), .results = chan_sender(results));
	chan_recv(heartbeat);
	printf("it has begun\n");
	chan_range(result, results)
		printf("%d\n", result);
}
