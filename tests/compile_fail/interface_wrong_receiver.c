/* SPDX-License-Identifier: MIT */
/* A method is for the struct that implements the interface. */
/* ERROR-GCC: initialization of .double \(\*\)\(const struct tree \*\). from incompatible pointer type .double \(\*\)\(const struct stone \*\) */
/* ERROR-CLANG: initializing 'double \(\*\)\(const struct tree \*\)' with an expression of type 'double \(const struct stone \*\)' */
/* ERROR: interface_wrong_receiver\.c:31: */
#include <leat.h>

#define plant_methods(Self)                                                                        \
	double (*height)(const Self *);                                                                \
	void (*grow)(Self *, double metres);
LEAT_INTERFACE(plant);

struct tree {
	double height;
};

struct stone {
	double height;
};

static double tree_height(const struct stone *t)
{
	return t->height;
}

static void tree_grow(struct tree *t, double metres)
{
	t->height += metres;
}

LEAT_IMPLEMENT(plant, struct tree, tree_plant, .height = tree_height, .grow = tree_grow);
