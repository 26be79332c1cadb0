/* SPDX-License-Identifier: MIT */
/* A stage is made in a scope. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: pipe_at_of_a_context\.c:10: */
#include <leat.h>

recv_chan(int) f(leat_ctx *ctx, recv_chan(int) c)
{
	return pipe_take(ctx, c, 1);
}
