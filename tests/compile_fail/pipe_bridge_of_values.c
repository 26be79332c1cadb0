/* SPDX-License-Identifier: MIT */
/* A bridge takes a channel of channels. */
/* ERROR-GCC: invalid type argument of unary '\*' \(have 'int'\) */
/* ERROR-CLANG: indirection requires pointer operand */
/* ERROR: pipe_bridge_of_values\.c:10: */
#include <leat.h>

void f(leat_scope *s, recv_chan(int) in)
{
	chan_range(v, pipe_bridge(s, in))
		(void)v;
}
