/* SPDX-License-Identifier: MIT */
/*
 * Preemptive scheduling: a goroutine that computes, and never calls anything, does not keep the others from running,
 * though there is a single processor.  Without preemption the first tick would never come.
 */
#include <leat.h>

#include <stdio.h>

static _Atomic bool stop;

static void compute(void)
{
	while (!stop)
		continue;
}

int main(void)
{
	scope(s, NULL);

	leat_procs(1);
	scope_go0(s, compute);
	for (int i = 1; i <= 3; i++) {
		leat_sleep(10 * LEAT_MILLISECOND);
		printf("tick %d\n", i);
	}
	stop = true;
}
