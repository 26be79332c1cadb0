/* SPDX-License-Identifier: MIT */
/* The constructor takes the struct that it is for. */
/* ERROR-GCC: incompatible pointer type */
/* ERROR-CLANG: incompatible pointer types passing 'struct stone \*' to parameter of type 'struct tree \*' */
/* ERROR: interface_of_another_struct\.c:35: */
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

static double tree_height(const struct tree *t)
{
	return t->height;
}

static void tree_grow(struct tree *t, double metres)
{
	t->height += metres;
}

LEAT_IMPLEMENT(plant, struct tree, tree_plant, .height = tree_height, .grow = tree_grow);

plant f(struct stone *s)
{
	return tree_plant(s);
}
