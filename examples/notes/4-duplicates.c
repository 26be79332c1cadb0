/* SPDX-License-Identifier: MIT */
/*
 * Two messages with the same result: a worker seemed to be dead, another got its task, and then both answered.  Either
 * the recipient takes the first answer to each task and drops what comes after it; or whoever has a result asks the
 * parent, which permits one only to send it.  The third way is not to be mistaken about who is dead: heartbeats.
 */
#include <leat.h>

#include <stdatomic.h>
#include <stdio.h>

enum { TASKS = 100 };

/* By task: who may send the result.  The parent gives each permission once. */
static _Atomic bool given[TASKS];
static _Atomic int sent;

static bool may_send(int task)
{
	return !atomic_exchange(&given[task], true);
}

struct work {
	send_chan(int) results;
};

static void work(struct work *a)
{
	for (int task = 0; task < TASKS; task++) {
		chan_send(a->results, task);
		if (may_send(task))
			sent++;
	}
}

int main(void)
{
	bool seen[TASKS] = {false};
	int accepted = 0;
	scope(s, NULL);
	chan(int) results = scope_chan(s, int, 0);

	for (int i = 0; i < 2; i++)
		scope_go(s, work, .results = chan_sender(results));
	for (int i = 0; i < 2 * TASKS; i++) {
		int task = chan_recv(results);

		accepted += !seen[task];
		seen[task] = true;
	}
	scope_wait(s);
	printf("of %d results %d were the first of their task\n", 2 * TASKS, accepted);
	printf("of %d questions %d were permitted\n", 2 * TASKS, sent);
}
