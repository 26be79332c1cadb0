/* SPDX-License-Identifier: MIT */
/*
 * What is made, and what is allocated.  A channel has to be made, with room for so many; plain memory comes zeroed, for
 * one value or a row of them.  Both are the scope's here, and are gone at the end of its block.
 */
#include <leat.h>

#include <stdio.h>

struct point {
	int x, y;
};

int main(void)
{
	scope(s, NULL);
	chan(int) c = scope_chan(s, int, 3);
	struct point *p = scope_alloc(s, struct point, 1);
	int *row = scope_alloc(s, int, 5);

	chan_send(c, 1);
	row[4] = 9;
	printf("a channel with %zu of %zu\n", chan_len(c), chan_cap(c));
	printf("a point at %d, %d\n", p->x, p->y);
	printf("a row from %d to %d\n", row[0], row[4]);
}
