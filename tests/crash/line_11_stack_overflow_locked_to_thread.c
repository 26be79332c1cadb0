/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2,4 nofenced */
/* The same in a goroutine that is locked to its thread. */
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

static void deep(void)
{
	leat_lock_thread();
	leat_yield();
	printf("%d\n", recurse(0));
}

int main(void)
{
	go0(deep);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
