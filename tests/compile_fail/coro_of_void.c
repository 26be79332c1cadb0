/* SPDX-License-Identifier: MIT */
/* A coroutine of void has no values. */
/* ERROR: a coroutine of void yields nothing: use coro\(leat_empty\) */
#include <leat.h>

static void body(coro(void) c)
{
	(void)c;
}

void f(void)
{
	coro_free(coro_make0(void, body));
}
