/* SPDX-License-Identifier: MIT */
/* The function of a zip takes what its inputs have, in their order. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible function pointer types */
#include <leat.h>

static void both(const double *a, const int *b, int *out)
{
	*out = (int)*a + *b;
}

void f(leat_scope *s, recv_chan(int) a, recv_chan(double) b)
{
	(void)pipe_zip0(s, a, b, int, both);
}
