/* SPDX-License-Identifier: MIT */
/* Only batches can be taken apart. */
/* ERROR: (has no member named|no member named) '?n'? */
/* ERROR: pipe_unbatch_of_no_batch\.c:13: */
#include <leat.h>

struct point {
	int x, y;
};

void f(leat_scope *s, recv_chan(struct point) c)
{
	(void)pipe_unbatch(s, c);
}
