/* SPDX-License-Identifier: MIT */
/* Arguments are the fields of the body's structure. */
/* ERROR: no member named .*m|designator .*m.* does not refer to any field */
#include <leat.h>

struct body {
	int n;
};

static void body(coro(int) c, struct body *a)
{
	coro_yield(c, a->n);
}

void f(void)
{
	coro_free(coro_make(int, body, .m = 1));
}
