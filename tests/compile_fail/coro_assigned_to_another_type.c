/* SPDX-License-Identifier: MIT */
/* A coroutine of one type is none of another. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
#include <leat.h>

void f(coro(int) c)
{
	coro(unsigned) u = c;

	coro_free(u);
}
