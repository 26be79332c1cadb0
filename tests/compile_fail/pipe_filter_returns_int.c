/* SPDX-License-Identifier: MIT */
/* A test returns bool. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible (function )?pointer types */
/* ERROR: pipe_filter_returns_int\.c:12: */
#include <leat.h>

int test(const int *in);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_filter0(s, c, test);
}
