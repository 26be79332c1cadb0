/* SPDX-License-Identifier: MIT */
/*
 * A panic in a coroutine that nobody catches: what the body deferred has run, and what its resumers did; the report
 * comes with the coroutine's frames and then with theirs.  What is deferred there may free it.
 */
#include <leat.h>

#include <stdio.h>

struct inner {
	int n;
};

__attribute__((noinline)) static void deeper(int n)
{
	if (n == 0)
		leat_panic("bad value");
	if (n > 0)
		deeper(n - 1);
	__asm__ volatile("");
}

static void inner(coro(int) c, struct inner *a)
{
	defer(puts, "inner leaves");
	coro_yield(c, 1);
	deeper(a->n);
}

static void outer(coro(int) c)
{
	defer(puts, "outer leaves");
	coro_own(i, int, inner, .n = 2);

	coro_range(v, i)
		coro_yield(c, v);
	__asm__ volatile("");
}

__attribute__((noinline)) static void user(void)
{
	coro(int) c = coro_make0(int, outer);

	defer(puts, "user leaves");
	defer(leat_coro_free, (leat_coro *)(void *)c);
	coro_range(v, c)
		printf("%d\n", v);
	__asm__ volatile("");
}

int main(void)
{
	user();
	return 0;
}
