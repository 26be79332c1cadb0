/* SPDX-License-Identifier: MIT */
/* A stage receives from its input. */
/* ERROR: receive from a send-only channel: it needs a chan\(T\) or recv_chan\(T\) */
/* ERROR: pipe_take_from_a_sender\.c:9: */
#include <leat.h>

recv_chan(int) f(leat_scope *s, send_chan(int) c)
{
	return pipe_take(s, c, 2);
}
