/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced env:LEAT_DEBUG=canary */
/* As when no more mappings are to be had: an overflow is found when the goroutine stops next. */
#include <leat.h>

struct deep {
	int levels;
};

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[4000];

	for (int i = 0; i < 4000; i++)
		room[i] = (char)n;
	if (n == 0)
		leat_sleep(1);
	else
		room[n % 4000] += (char)recurse(n - 1);
	return room[n % 4000];
}

static void deep(struct deep *a)
{
	recurse(a->levels);
	__asm__ volatile(""); /* no tail call */
}

int main(void)
{
	/* Beyond 192 KiB, not beyond the 64 KiB that lie below in place of a guard. */
	go(deep, 55);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
