/* SPDX-License-Identifier: MIT */
/*
 * A leat_any holds a value of some type.  A type assertion asks for it as one type: the first form says whether it was
 * that, and leaves the variable alone if not; the second takes no for an answer only as a panic.
 */
#include <leat.h>

#include <stdio.h>

static void must_be_string(void *any)
{
	printf("%s\n", any_must(const char *, *(leat_any *)any));
}

int main(void)
{
	leat_any i = any_of(1);
	leat_panic_info info;
	int n;

	if (any_as(int, i, &n))
		printf("an int: %d\n", n);
	else
		printf("another type\n");
	if (leat_catch(must_be_string, &i, &info))
		printf("%s\n", info.message);
}
