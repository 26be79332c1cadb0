/* SPDX-License-Identifier: MIT */
/* Values are copied, so their type cannot be const. */
/* ERROR: what a coroutine yields is copied: its type cannot be const */
#include <leat.h>

static void body(coro(const int) c)
{
	(void)c;
}

void f(void)
{
	coro_free(coro_make0(const int, body));
}
