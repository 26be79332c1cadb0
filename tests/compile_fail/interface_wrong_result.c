/* SPDX-License-Identifier: MIT */
/* A method returns what the interface says. */
/* ERROR-GCC: initialization of .double \(\*\)\(const struct tree \*\). from incompatible pointer type .int \(\*\)\(const struct tree \*\) */
/* ERROR-CLANG: initializing 'double \(\*\)\(const struct tree \*\)' with an expression of type 'int \(const struct tree \*\)' */
/* ERROR: interface_wrong_result\.c:27: */
#include <leat.h>

#define plant_methods(Self)                                                                        \
	double (*height)(const Self *);                                                                \
	void (*grow)(Self *, double metres);
LEAT_INTERFACE(plant);

struct tree {
	double height;
};

static int tree_height(const struct tree *t)
{
	return (int)t->height;
}

static void tree_grow(struct tree *t, double metres)
{
	t->height += metres;
}

LEAT_IMPLEMENT(plant, struct tree, tree_plant, .height = tree_height, .grow = tree_grow);
