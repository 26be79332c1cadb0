/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced env:LEAT_DEBUG=canary */
/* As when no more mappings are to be had: an overflow is found when the coroutine yields next. */
#include <leat.h>

struct deep {
	int levels;
};

__attribute__((noinline)) static int recurse(coro(int) c, int n)
{
	volatile char room[4000];

	for (int i = 0; i < 4000; i++)
		room[i] = (char)n;
	if (n == 0)
		coro_yield(c, 1);
	else
		room[n % 4000] += (char)recurse(c, n - 1);
	return room[n % 4000];
}

static void deep(coro(int) c, struct deep *a)
{
	recurse(c, a->levels);
	__asm__ volatile(""); /* no tail call */
}

int main(void)
{
	/* Beyond 192 KiB, not beyond the 64 KiB that lie below in place of a guard. */
	coro_range(v, coro_make(int, deep, 55))
		leat_panic("%d came", v);
	return 0;
}
