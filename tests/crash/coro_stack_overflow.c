/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 */
/* A recursion without end in a coroutine is reported as in a goroutine, with the frames below. */
#include <leat.h>

__attribute__((noinline)) static int recurse(int n)
{
	volatile char room[400];

	room[n % 400] = (char)n;
	if (n == INT32_MAX)
		return 0;
	return recurse(n + 1) + room[n % 400];
}

static void deep(coro(int) c)
{
	coro_yield(c, 1);
	coro_yield(c, recurse(0));
}

static void user(void)
{
	coro_range(v, coro_make0(int, deep))
		if (v != 1)
			leat_panic("it came back");
	__asm__ volatile("");
}

int main(void)
{
	go0(user);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
