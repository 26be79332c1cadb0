/* SPDX-License-Identifier: MIT */
/*
 * A pool of workers: four goroutines take ten thousand tasks from one channel, each the next as soon as it is free.
 * Starting a goroutine for each task would do as well, for they are cheap; a pool is for what is not, such as memory
 * or connections, of which there are four here.
 */
#include <leat.h>

#include <stdio.h>

enum { WORKERS = 4, TASKS = 10000 };

struct work {
	recv_chan(int) tasks;
	send_chan(long) results;
};

static void work(struct work *a)
{
	long sum = 0;

	chan_range(task, a->tasks)
		sum += task;
	chan_send(a->results, sum);
}

int main(void)
{
	long sum = 0;
	scope(s, NULL);
	chan(int) tasks = scope_chan(s, int, 64);
	chan(long) results = scope_chan(s, long, 0);

	for (int i = 0; i < WORKERS; i++)
		scope_go(s, work, .tasks = chan_receiver(tasks), .results = chan_sender(results));
	for (int i = 1; i <= TASKS; i++)
		chan_send(tasks, i);
	chan_close(tasks);
	for (int i = 0; i < WORKERS; i++)
		sum += chan_recv(results);
	printf("%d workers did %d tasks: %ld\n", WORKERS, TASKS, sum);
}
