/* SPDX-License-Identifier: MIT */
/* The subscription of another broadcast. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types */
/* ERROR: unsubscribe_wrong_type\.c:10: */
#include <leat.h>

void f(broadcast_chan(int) b, recv_chan(long) c)
{
	broadcast_unsubscribe(b, c);
}
