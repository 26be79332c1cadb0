/* SPDX-License-Identifier: MIT */
/* And the body takes it into a variable of that type. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
#include <leat.h>

void f(coro(int, double) c)
{
	float in;

	if (coro_sent(c, &in))
		coro_yield(c, 1);
}
