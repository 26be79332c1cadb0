/* SPDX-License-Identifier: MIT */
/* Who gets what is rejected returns nothing. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible (function )?pointer types */
/* ERROR: pipe_reject_returns_bool\.c:12: */
#include <leat.h>

bool refuse(const int *in);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_reject0(s, c, 10, refuse);
}
