/* SPDX-License-Identifier: MIT */
/* Nobody but the stage sends on its output. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: pipe_send_to_a_stage\.c:9: */
#include <leat.h>

void f(leat_scope *s, recv_chan(int) c)
{
	chan_send(pipe_take(s, c, 2), 1);
}
