/* SPDX-License-Identifier: MIT */
/* What compares gets pointers to the elements. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible function pointer types */
#include <leat.h>

static int compare(const void **a, const void **b)
{
	return (*a > *b) - (*a < *b);
}

void f(leat_scope *s, recv_chan(int) *in)
{
	(void)pipe_merge0(s, in, 3, compare);
}
