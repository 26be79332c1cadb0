/* SPDX-License-Identifier: MIT */
/* A function that takes arguments is for the macro without 0. */
/* ERROR: twice: pipe_map0 and pipe_map_ordered0 take void fn\(const In \*in, Out \*out\)" */
/* ERROR: pipe_map0_with_args\.c:14: */
#include <leat.h>

struct twice {
	int by;
};
void twice(const int *in, int *out, struct twice *a);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_map0(s, c, int, twice);
}
