/* SPDX-License-Identifier: MIT */
/*
 * blocking: 8 goroutines call usleep for 1 ms, 400 times each; the figure is the time of all divided
 * by the number of calls.  If nothing is in the way it is an eighth of what one call takes.
 *
 *	blocking              the goroutine says nothing: the monitor finds out
 *	blocking_announced    it says leat_blocking first
 */
#include "../bench.h"

#include <leat.h>

enum { CALLERS = 8, CALLS = 400, NAP_US = 1000 };

struct caller {
	int64_t *calls;
	leat_waitgroup *done;
};

static void silent(struct caller *a)
{
	for (int i = 0; i < CALLS; i++) {
		usleep(NAP_US);
		++*a->calls;
	}
	leat_waitgroup_done(a->done);
}

#ifdef LEAT_BLOCKING
static void announced(struct caller *a)
{
	for (int i = 0; i < CALLS; i++) {
		{
			LEAT_BLOCKING();
			usleep(NAP_US);
		}
		++*a->calls;
	}
	leat_waitgroup_done(a->done);
}
#endif

static void measure(const char *name, void (*fn)(struct caller *))
{
	int64_t calls[CALLERS] = {0}, all = 0;
	leat_waitgroup done = {0};

	int64_t start = bench_now();
	leat_waitgroup_add(&done, CALLERS);
	for (int i = 0; i < CALLERS; i++)
		go_as(caller, fn, .calls = &calls[i], .done = &done);
	leat_waitgroup_wait(&done);
	bench_result(name, (double)(bench_now() - start) / 1e3 / (CALLERS * CALLS), "us");
	for (int i = 0; i < CALLERS; i++)
		all += calls[i];
	bench_check(all, CALLERS * CALLS, "the number of calls");
}

int main(void)
{
	leat_procs(bench_procs());
	measure("blocking", silent);
#ifdef LEAT_BLOCKING
	measure("blocking_announced", announced);
#endif
	bench_work(CALLERS * CALLS, "calls");
	return 0;
}
