/* SPDX-License-Identifier: MIT */
/* A broadcast has no length. */
/* ERROR: not a channel */
/* ERROR: chan_len_of_broadcast\.c:9: */
#include <leat.h>

size_t f(broadcast_chan(int) b)
{
	return chan_len(b);
}
