/* SPDX-License-Identifier: MIT */
/* The value goes into a variable of its type. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
#include <leat.h>

void f(coro(int) c)
{
	long v;

	if (coro_next(c, &v))
		coro_free(c);
}
