/* SPDX-License-Identifier: MIT */
/*
 * What line_11_stack_overflow.c shows, without the names in its trace: this runs where libdw is not to be
 * had, too.
 */
#include <leat.h>

#include <limits.h>
#include <stdio.h>

static int __attribute__((noinline)) recurse(int n)
{
	volatile char page[4096];

	page[0] = (char)n;
	return n < INT_MAX ? recurse(n + 1) + page[0] : 0;
}

static void overflow(void)
{
	printf("%d\n", recurse(0));
}

int main(void)
{
	go0(overflow);
	for (;;)
		leat_yield();
}
