/* SPDX-License-Identifier: MIT */
/* A structure is no type of a leat_any's unless LEAT_TYPE declares it. */
/* ERROR: not a type that a leat_any gives */
#include <leat.h>

struct point {
	int x, y;
};

void f(leat_scope *s, recv_chan(leat_any) c)
{
	(void)pipe_cast(s, c, struct point);
}
