/* SPDX-License-Identifier: MIT */
/* coro(T) is brought nothing. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: struct leat__coro_nothing */
#include <leat.h>

void f(coro(int) c)
{
	int v = 1;

	if (coro_send(c, &v, &v))
		coro_free(c);
}
