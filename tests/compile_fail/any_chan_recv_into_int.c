/* SPDX-License-Identifier: MIT */
/* Nor does one come out of it as what it holds. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: any_chan_recv_into_int\.c:10: */
#include <leat.h>

bool f(chan(leat_any) c, int *n)
{
	return chan_recv_ok(c, n);
}
