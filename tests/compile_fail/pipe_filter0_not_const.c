/* SPDX-License-Identifier: MIT */
/* What comes in is the stage's: the function may only look at it. */
/* ERROR: odd: pipe_filter0 and pipe_take_while0 take bool fn\(const In \*in\)" */
/* ERROR: pipe_filter0_not_const\.c:11: */
#include <leat.h>

bool odd(int *in);

recv_chan(int) f(leat_scope *s, recv_chan(int) c)
{
	return pipe_filter0(s, c, odd);
}
