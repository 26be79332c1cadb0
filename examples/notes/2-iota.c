/* SPDX-License-Identifier: MIT */
/*
 * Types with names, a struct, and an enumeration that counts: from -2 for the smallest size, over a middle that has
 * no name, to 2 for the largest.  C's enum counts by itself from any number on, as Go's iota does.
 */
#include <leat.h>

#include <stdio.h>

typedef enum {
	XS = -2,
	S,
	L = 1,
	XL,
} size;

typedef struct {
	const char *what;
	size size;
} shirt;

static const char *size_name(size s)
{
	static const char *const names[] = {"xs", "s", "?", "l", "xl"};

	return names[s - XS];
}

int main(void)
{
	shirt shirts[] = {{"linen", XS}, {"wool", S}, {"silk", L}, {"cotton", XL}};

	for (int i = 0; i < 4; i++)
		printf("%s: %s (%d)\n", shirts[i].what, size_name(shirts[i].size), shirts[i].size);
}
