/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 nofenced */
/* Main's stack is the process's own; its end is reported like any other. */
#include <leat.h>

#include <stdio.h>

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[400];

	room[n % 400] = (char)n;
	if (n == INT32_MAX)
		return 0;
	return recurse(n + 1) + room[n % 400];
}

int main(void)
{
	leat_yield();
	printf("%d\n", recurse(0));
	return 0;
}
