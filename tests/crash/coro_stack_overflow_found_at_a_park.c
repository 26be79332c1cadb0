/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nofenced env:LEAT_DEBUG=canary */
/* As when no more mappings are to be had: an overflow is found when the goroutine parks in the coroutine, although
   its own stack, main's, has its guard. */
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

static void deep(coro(int) c, struct deep *a)
{
	coro_yield(c, 0);
	coro_yield(c, recurse(a->levels));
}

int main(void)
{
	/* Beyond 192 KiB, not beyond the 64 KiB that lie below in place of a guard. */
	coro_range(v, coro_make(int, deep, 55))
		if (v)
			leat_panic("%d came", v);
	return 0;
}
