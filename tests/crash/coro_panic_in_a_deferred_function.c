/* SPDX-License-Identifier: MIT */
/* A coroutine that is used by what runs during a panic, and panics itself: both are in the report. */
#include <leat.h>

static void bad(coro(int) c)
{
	coro_yield(c, 1);
	leat_panic("second");
}

static void use(void *c)
{
	coro_range(v, (coro(int))c)
		if (v != 1)
			leat_panic("wrong");
}

static void user(void)
{
	coro(int) c = coro_make0(int, bad);

	defer(use, (void *)c);
	leat_panic("first");
}

int main(void)
{
	go0(user);
	leat_sleep(LEAT_MINUTE);
	return 0;
}
