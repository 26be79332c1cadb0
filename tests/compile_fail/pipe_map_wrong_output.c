/* SPDX-License-Identifier: MIT */
/* The function writes what the stage is said to send. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible (function )?pointer types */
/* ERROR: pipe_map_wrong_output\.c:12: */
#include <leat.h>

void twice(const int *in, long *out);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_map0(s, c, int, twice);
}
