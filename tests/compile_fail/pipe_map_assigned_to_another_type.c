/* SPDX-License-Identifier: MIT */
/* A stage of longs is no stage of ints. */
/* ERROR-GCC: incompatible return type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: pipe_map_assigned_to_another_type\.c:12: */
#include <leat.h>

void widen(const int *in, long *out);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_map0(s, c, long, widen);
}
