/* SPDX-License-Identifier: MIT */
/* A broadcast is no latest value. */
/* ERROR: not a latest value: it needs a latest_cell\(T\) */
/* ERROR: latest_of_broadcast\.c:9: */
#include <leat.h>

void f(broadcast_chan(int) b)
{
	latest_set(b, 1);
}
