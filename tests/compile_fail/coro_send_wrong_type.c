/* SPDX-License-Identifier: MIT */
/* What a coroutine is brought has its type. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
#include <leat.h>

void f(coro(int, double) c)
{
	int v = 1;

	if (coro_send(c, &v, &v))
		coro_free(c);
}
