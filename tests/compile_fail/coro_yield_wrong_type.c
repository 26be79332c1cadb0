/* SPDX-License-Identifier: MIT */
/* What is yielded must be assignable to the type. */
/* ERROR: (makes|incompatible) (integer from pointer|pointer to integer) */
/* ERROR: coro_yield_wrong_type\.c:9: */
#include <leat.h>

static void body(coro(int) c)
{
	coro_yield(c, "one");
}

void f(void)
{
	coro_free(coro_make0(int, body));
}
