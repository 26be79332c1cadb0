/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced noemulator */
/* A division by zero, where the processor notices it. */
#include <leat.h>

#include <stdio.h>

__attribute__((noinline)) static int divide(volatile int *a, volatile int *b)
{
	return *a / *b;
}

static void worker(void)
{
	volatile int one = 1, zero = 0;

	printf("%d\n", divide(&one, &zero));
}

int main(void)
{
#ifdef __aarch64__
	return 77; /* there 1 / 0 is 0 */
#endif
	go0(worker);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
