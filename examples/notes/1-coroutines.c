/* SPDX-License-Identifier: MIT */
/*
 * A coroutine can be left in the middle and entered again there.  Two walks over trees, each a recursive function as it
 * is simplest, go forward in turns, whichever has the smaller value next: the values of both trees, in order.  No
 * scheduler takes part, and nothing runs beside anything else.
 */
#include <leat.h>

#include <stdio.h>

struct tree {
	struct tree *left, *right;
	int value;
};

static void visit(coro(int) c, struct tree *t)
{
	if (!t)
		return;
	visit(c, t->left);
	coro_yield(c, t->value);
	visit(c, t->right);
}

struct walk {
	struct tree *tree;
};

static void walk(coro(int) c, struct walk *a)
{
	visit(c, a->tree);
}

int main(void)
{
	struct tree two = {NULL, NULL, 2}, nine = {NULL, NULL, 9}, five = {&two, &nine, 5};
	struct tree one = {NULL, NULL, 1}, six = {&one, NULL, 6}, seven = {&six, NULL, 7};
	int x = 0, y = 0;
	coro_own(a, int, walk, .tree = &five);
	coro_own(b, int, walk, .tree = &seven);
	bool more_a = coro_next(a, &x), more_b = coro_next(b, &y);

	while (more_a || more_b) {
		if (more_a && (!more_b || x < y)) {
			printf("%d from the first\n", x);
			more_a = coro_next(a, &x);
		} else {
			printf("%d from the second\n", y);
			more_b = coro_next(b, &y);
		}
	}
}
