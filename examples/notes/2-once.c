/* SPDX-License-Identifier: MIT */
/*
 * Something that is done once, by whoever comes first, while the others wait until it has been done.  It is the Once
 * that has had its turn, not the function: another function through the same one is not called either.
 */
#include <leat.h>

#include <stdio.h>

static leat_once once;

static void say(void *what)
{
	printf("%s\n", (char *)what);
}

static void open_up(void)
{
	leat_once_do(&once, say, "the shop opens");
}

int main(void)
{
	scope(s, NULL);

	for (int i = 0; i < 100; i++)
		scope_go0(s, open_up);
	scope_wait(s);
	leat_once_do(&once, say, "the shop closes");
	printf("a hundred have come in\n");
}
