/* SPDX-License-Identifier: MIT */
/* A channel is no coroutine. */
/* ERROR: not a function|is not a function or function pointer */
#include <leat.h>

void f(chan(int) c)
{
	coro_range(v, c)
		(void)v;
}
