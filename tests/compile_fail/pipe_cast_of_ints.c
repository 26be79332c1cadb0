/* SPDX-License-Identifier: MIT */
/* An int's type is known. */
/* ERROR: only a leat_any has a type to be asserted */
#include <leat.h>

void f(leat_scope *s, recv_chan(int) c)
{
	(void)pipe_cast(s, c, int);
}
