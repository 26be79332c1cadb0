/* SPDX-License-Identifier: MIT */
/* A batch of longs has no room for ints. */
/* ERROR: the items of a batch are of the type that comes in */
#include <leat.h>

struct batch {
	size_t n;
	long items[10];
};

void f(leat_scope *s, recv_chan(int) c)
{
	(void)pipe_batch(s, c, struct batch, LEAT_SECOND);
}
