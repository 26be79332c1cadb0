/* SPDX-License-Identifier: MIT */
/* The count of a batch is written as a size_t. */
/* ERROR: a batch has a size_t n and an array items */
#include <leat.h>

struct batch {
	int n;
	int items[10];
};

void f(leat_scope *s, recv_chan(int) c)
{
	(void)pipe_batch(s, c, struct batch, LEAT_SECOND);
}
