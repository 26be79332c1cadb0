/* SPDX-License-Identifier: MIT */
/*
 * samefringe: do two trees have the same leaves, in the same order, whatever their shape?
 *
 * The classic of coroutines: each walk of a tree is a recursive function, as it is easiest, and two such walks must go
 * forward together, leaf by leaf, and stop at the first difference.  A function that returns all leaves would walk all
 * of both; one that can be stopped and continued by hand would keep a stack of its own.  A coroutine has one.
 *
 * A tree is written as brackets around leaves: ((a b) c).
 */
#include <leat.h>

#include <ctype.h>
#include <stdio.h>

/* The leaves of what stands at *at, up to its closing bracket. */
static void visit(coro(char) c, const char **at)
{
	for (; **at && **at != ')'; ++*at) {
		if (**at == '(') {
			++*at;
			visit(c, at);
		} else if (!isspace((unsigned char)**at)) {
			coro_yield(c, **at);
		}
	}
}

struct leaves {
	const char *tree;
};

static void leaves(coro(char) c, struct leaves *a)
{
	const char *at = a->tree;

	defer(puts, "  (a walk ends)");
	visit(c, &at);
}

static bool same_fringe(const char *one, const char *other)
{
	coro_own(a, char, leaves, .tree = one);
	coro_own(b, char, leaves, .tree = other);
	char x = 0, y = 0;

	for (;;) {
		bool more_a = coro_next(a, &x), more_b = coro_next(b, &y);

		if (more_a != more_b || (more_a && x != y))
			return false;
		if (!more_a)
			return true;
		printf("  %c\n", x);
	}
}

static void compare(const char *one, const char *other)
{
	printf("%s and %s:\n", one, other);
	printf("%s\n", same_fringe(one, other) ? "the same" : "different");
}

int main(void)
{
	compare("((a b) c)", "(a (b c))");
	compare("((a b) (c (d e)))", "(a (x (c d e)))");
	return 0;
}
