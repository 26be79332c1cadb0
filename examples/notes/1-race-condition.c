/* SPDX-License-Identifier: MIT */
/*
 * A race condition: two things must happen in a certain order, and nothing in the program says so.  The variables are
 * atomic, so this is no data race and each read is sound; and yet nobody knows what the first one finds.  The second
 * comes after a join, which orders it.
 */
#include <leat.h>

#include <stdio.h>

static _Atomic int raced, joined;

struct increment {
	_Atomic int *data;
};

static void increment(struct increment *a)
{
	++*a->data;
}

int main(void)
{
	scope(s, NULL);

	scope_go(s, increment, .data = &raced);
	printf("whenever that is: %d\n", raced);

	scope_go(s, increment, .data = &joined);
	scope_wait(s);
	printf("after the join: %d\n", joined);
}
