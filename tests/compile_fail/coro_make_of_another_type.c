/* SPDX-License-Identifier: MIT */
/* The body must yield what the coroutine is made for. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible (function )?pointer types */
/* ERROR: coro_make_of_another_type\.c:19: */
#include <leat.h>

struct body {
	int n;
};

static void body(coro(long) c, struct body *a)
{
	coro_yield(c, a->n);
}

void f(coro(int) *c)
{
	*c = coro_make(int, body, .n = 1);
}
