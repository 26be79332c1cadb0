/* SPDX-License-Identifier: MIT */
/* What a stage writes is not const. */
/* ERROR: the elements of a channel are copied: its type cannot be const */
#include <leat.h>

void twice(const int *in, const int *out);

void f(leat_scope *s, recv_chan(int) c)
{
	(void)pipe_map0(s, c, const int, twice);
}
