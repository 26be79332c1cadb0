/* SPDX-License-Identifier: MIT */
/*
 * i++ is three operations: read, add, write.  Each of a hundred goroutines does them one by one, with bad luck in
 * between: nobody writes before all have read.  So all of them write 1.  An atomic increment leaves no room for luck.
 */
#include <leat.h>

#include <stdio.h>

enum { GOROUTINES = 100 };

static _Atomic int in_steps, at_once;
static leat_waitgroup readers;

static void increment(void)
{
	int i = in_steps;

	leat_waitgroup_done(&readers);
	leat_waitgroup_wait(&readers);
	in_steps = i + 1;
	at_once++;
}

int main(void)
{
	scope(s, NULL);

	leat_waitgroup_add(&readers, GOROUTINES);
	for (int i = 0; i < GOROUTINES; i++)
		scope_go0(s, increment);
	scope_wait(s);
	printf("in three steps: %d\n", in_steps);
	printf("atomically: %d\n", at_once);
}
