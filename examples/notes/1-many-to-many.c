/* SPDX-License-Identifier: MIT */
/* CTEST: nosan noemulator */
/*
 * Many goroutines on few threads: an M:N scheduler.  OS threads are the kernel's, green threads the program's own, and
 * goroutines are green threads that are mapped onto as many OS threads as there are processors.  A hundred thousand
 * of them wait here at once; each has a stack of its own, and none has a thread.
 */
#include <leat.h>

#include <stdio.h>
#include <sys/stat.h>

enum { GOROUTINES = 100000 };

static leat_waitgroup started;

struct wait_outside {
	recv_chan(leat_empty) gate;
};

static void wait_outside(struct wait_outside *a)
{
	leat_waitgroup_done(&started);
	chan_recv(a->gate);
}

/* The folder has an entry for each thread, and a folder's links are those and two more. */
static unsigned threads(void)
{
	struct stat tasks;

	return stat("/proc/self/task", &tasks) == 0 ? (unsigned)tasks.st_nlink - 2 : 0;
}

int main(void)
{
	scope(s, NULL);
	chan(leat_empty) gate = scope_chan(s, leat_empty, 0);
	leat_go_opts small = {.scope = s, .stack_bytes = 2048};

	leat_waitgroup_add(&started, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		go_with(&small, wait_outside, .gate = chan_receiver(gate));
	leat_waitgroup_wait(&started);
	printf("%zu goroutines on %u threads\n", leat_num_goroutine(), threads());
	chan_close(gate);
}
