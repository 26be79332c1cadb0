/* SPDX-License-Identifier: MIT */
/* Inputs can be received from. */
/* ERROR: receive from a send-only channel */
#include <leat.h>

void f(leat_scope *s, send_chan(int) a, send_chan(int) b)
{
	send_chan(int) in[] = {a, b};

	(void)pipe_fan_in(s, in, 2);
}
