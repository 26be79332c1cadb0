/* SPDX-License-Identifier: MIT */
/* CTEST: procs=2,4 nofenced */
/* The thread on which it happens need not be the one on which the goroutine began. */
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

static void nothing(void)
{
	for (int i = 0; i < 100; i++)
		leat_yield();
}

static void deep(void)
{
	for (int i = 0; i < 1000; i++) {
		leat_yield();
		if (i % 100 == 0)
			leat_sleep(LEAT_MILLISECOND);
	}
	printf("%d\n", recurse(0));
}

int main(void)
{
	for (int i = 0; i < 20; i++)
		go0(nothing);
	go0(deep);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
