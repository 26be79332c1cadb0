/* SPDX-License-Identifier: MIT */
/* Both inputs are const. */
/* ERROR: add: pipe_zip0 takes void fn\(const A \*a, const B \*b, Out \*out\)" */
/* ERROR: pipe_zip0_not_const\.c:11: */
#include <leat.h>

void add(const int *a, int *b, int *out);

recv_chan(int) f(leat_scope *s, recv_chan(int) c, recv_chan(int) d)
{
	return pipe_zip0(s, c, d, int, add);
}
