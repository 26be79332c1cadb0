/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced nosan */
/*
 * Goal: LEAT_DEBUG=sched prints the scheduler's state about once a second while something runs.
 * Method: a goroutine computes for a second and a half, beside one that waits for its turn.
 */
#include <leat.h>

static void compute(void)
{
	int64_t end = leat_now() + 1500 * LEAT_MILLISECOND;

	while (leat_now() < end)
		;
}

int main(void)
{
	go0(compute);
	compute();
	return 0;
}
