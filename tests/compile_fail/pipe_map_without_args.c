/* SPDX-License-Identifier: MIT */
/* A function that takes no arguments is for the macro with 0. */
/* ERROR: twice: pipe_map and pipe_map_ordered take void fn\(const In \*in, Out \*out, struct fn \*args\)" */
/* ERROR: pipe_map_without_args\.c:11: */
#include <leat.h>

void twice(const int *in, int *out);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_map(s, c, int, twice);
}
