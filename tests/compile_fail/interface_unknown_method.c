/* SPDX-License-Identifier: MIT */
/* The methods have the names that the interface gives them. */
/* ERROR-GCC: has no member named .wither */
/* ERROR-CLANG: 'wither' does not refer to any field */
/* ERROR: interface_unknown_method\.c:27: */
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

static void tree_grow(struct tree *t, double metres)
{
	t->height += metres;
}

LEAT_IMPLEMENT(plant, struct tree, tree_plant, .height = tree_height, .wither = tree_grow);
