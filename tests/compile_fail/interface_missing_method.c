/* SPDX-License-Identifier: MIT */
/* A struct without one of the methods does not implement the interface. */
/* ERROR: tree_plant must be given each method of plant once */
/* ERROR: interface_missing_method\.c:21: */
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

LEAT_IMPLEMENT(plant, struct tree, tree_plant, .height = tree_height);
