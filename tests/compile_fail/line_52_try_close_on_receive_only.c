/* SPDX-License-Identifier: MIT */
/* Receivers do not close, not even if nobody else does. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: line_52_try_close_on_receive_only\.c:9: */
#include <leat.h>

bool f(recv_chan(int) c)
{
	return chan_try_close(c);
}
