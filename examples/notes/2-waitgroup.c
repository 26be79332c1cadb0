/* SPDX-License-Identifier: MIT */
/*
 * A wait group counts who is still at work.  Whoever starts something adds one before it starts, whoever ends takes one
 * away, and the wait is over at zero.  (A scope does this by itself; a wait group is for what has no block to end with.)
 */
#include <leat.h>

#include <stdio.h>

struct store {
	int *slot;
	int value;
};

static void store(struct store *a)
{
	*a->slot = a->value;
}

int main(void)
{
	leat_waitgroup writers = {0};
	int slots[5];

	for (int i = 0; i < 5; i++)
		wg_go(&writers, store, .slot = &slots[i], .value = i * i);
	leat_waitgroup_wait(&writers);
	for (int i = 0; i < 5; i++)
		printf("%d\n", slots[i]);
}
