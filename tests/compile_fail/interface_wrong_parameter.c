/* SPDX-License-Identifier: MIT */
/* And takes what it says. */
/* ERROR-GCC: initialization of .void \(\*\)\(struct tree \*, double\). from incompatible pointer type .void \(\*\)\(struct tree \*, int\) */
/* ERROR-CLANG: initializing 'void \(\*\)\(struct tree \*, double\)' with an expression of type 'void \(struct tree \*, int\)' */
/* ERROR: interface_wrong_parameter\.c:27: */
#include <leat.h>

#define plant_methods(Self)                                                                        \
	double (*height)(const Self *);                                                                \
	void (*grow)(Self *, double metres);
LEAT_INTERFACE(plant);

struct tree {
	double height;
};

static double tree_height(const struct tree *t)
{
	return t->height;
}

static void tree_grow(struct tree *t, int metres)
{
	t->height += metres;
}

LEAT_IMPLEMENT(plant, struct tree, tree_plant, .height = tree_height, .grow = tree_grow);
