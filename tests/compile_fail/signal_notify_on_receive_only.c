/* SPDX-License-Identifier: MIT */
/* The library sends there. */
/* ERROR: send on \(or close of\) a receive-only channel: it needs a chan\(T\) or send_chan\(T\) */
/* ERROR: signal_notify_on_receive_only\.c:9: */
#include <leat.h>

void f(recv_chan(int) c)
{
	signal_notify(c, SIGINT);
}
