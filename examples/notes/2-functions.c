/* SPDX-License-Identifier: MIT */
/*
 * Functions as values, and what they capture.  A function can be kept in a variable and started as a goroutine.  C has
 * no closures; what one would capture is an argument instead, named at the start and copied there.  So each of these
 * has the value that i had then, whatever i is by the time it runs.
 */
#include <leat.h>

#include <stdio.h>

struct greet {
	const char *whom;
	int number;
};

static void greet(struct greet *a)
{
	printf("hello, %s %d\n", a->whom, a->number);
}

int main(void)
{
	void (*say)(struct greet *) = greet;
	scope(s, NULL);

	say(&(struct greet){.whom = "function", .number = 0});
	for (int i = 1; i <= 3; i++)
		scope_go(s, greet, .whom = "goroutine", .number = i);
}
