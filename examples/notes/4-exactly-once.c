/* SPDX-License-Identifier: MIT */
/*
 * Each result once, by the library.  Two workers answer each of a hundred requests; the recipient remembers which it has
 * had.  And between one worker and who watches it: before it hands over its result it commits, before somebody else gets
 * the task it is given up; whoever is first has the say.
 */
#include <leat.h>

#include <stdio.h>

struct answer {
	send_chan(int) results;
};

static void answer(struct answer *a)
{
	for (int request = 0; request < 100; request++)
		chan_send(a->results, request);
}

int main(void)
{
	leat_duplicates *seen = leat_duplicates_make(1000, LEAT_MINUTE);
	leat_heartbeat *quick = leat_heartbeat_make(0), *slow = leat_heartbeat_make(0);
	int applied = 0;
	scope(s, NULL);
	chan(int) results = scope_chan(s, int, 0);

	for (int i = 0; i < 2; i++)
		scope_go(s, answer, .results = chan_sender(results));
	for (int i = 0; i < 200; i++)
		applied += leat_duplicates_first(seen, (uint64_t)chan_recv(results));
	printf("200 results, %d applied\n", applied);
	printf("the quick one may send: %d", leat_heartbeat_commit(quick));
	printf(", and is given up: %d\n", leat_heartbeat_give_up(quick));
	printf("the slow one is given up: %d", leat_heartbeat_give_up(slow));
	printf(", and may send: %d\n", leat_heartbeat_commit(slow));
	leat_duplicates_free(seen);
	leat_heartbeat_free(quick);
	leat_heartbeat_free(slow);
}
