/* SPDX-License-Identifier: MIT */
/* CTEST: nosan */
/*
 * A data race: two goroutines touch the same variable, one of them writes, and nothing orders them.  What is printed is
 * anybody's guess, and in C the program may do anything at all.  leat run --race tells of it, with the stacks of both.
 */
#include <leat.h>

#include <stdio.h>

static int data;

static void increment(void)
{
	data++;
}

int main(void)
{
	scope(s, NULL);

	scope_go0(s, increment);
	printf("%d\n", data);
}
