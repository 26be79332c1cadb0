/* SPDX-License-Identifier: MIT */
/* A task of a pool that panics ends the process, as a goroutine does, with the trace of the task. */
#include <leat.h>

#include <stdio.h>

struct task {
	int i;
};

static void task(struct task *a)
{
	if (a->i == 2)
		leat_panic("task %d went wrong", a->i);
}

int main(void)
{
	scope(s, NULL);
	leat_workers *w =
	    leat_workers_make(s, &(leat_workers_opts){.workers = 1, .queue = 10, .name = "worker"});

	for (int i = 0; i < 5; i++)
		(void)workers_submit(w, task, i);
	leat_workers_wait(w);
	printf("not reached\n");
	return 0;
}
