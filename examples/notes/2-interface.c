/* SPDX-License-Identifier: MIT */
/*
 * An interface says what a thing can do and nothing about what it is.  In C it is a table of functions together with a
 * pointer to the thing; that each function is of the right type, and for the right thing, is checked by the compiler.
 * The empty interface asks for nothing, so a leat_any can be of any type, which it remembers.
 */
#include <leat.h>

#include <stdio.h>

#define plant_methods(Self)                                                                        \
	double (*height)(const Self *);                                                                \
	const char *(*kind)(const Self *);
LEAT_INTERFACE(plant);

struct tree {
	const char *kind;
	double height;
};

static double tree_height(const struct tree *t)
{
	return t->height;
}

static const char *tree_kind(const struct tree *t)
{
	return t->kind;
}

static LEAT_IMPLEMENT(plant, struct tree, tree_plant, .height = tree_height, .kind = tree_kind);

struct lawn {
	int days;
};

static double lawn_height(const struct lawn *l)
{
	return 0.01 * l->days;
}

static const char *lawn_kind(const struct lawn *l)
{
	return l->days < 30 ? "lawn" : "meadow";
}

static LEAT_IMPLEMENT(plant, struct lawn, lawn_plant, .height = lawn_height, .kind = lawn_kind);

static void describe(plant p)
{
	printf("%s, %.2f m\n", p.methods->kind(p.self), p.methods->height(p.self));
}

static LEAT_TYPE(plant, plant);

int main(void)
{
	struct tree oak = {"oak", 21.5};
	struct lawn lawn = {4};
	leat_any things[] = {
	    any_of_type(plant, tree_plant(&oak)),
	    any_of_type(plant, lawn_plant(&lawn)),
	    any_of(7),
	};

	for (int i = 0; i < 3; i++) {
		any_switch(things[i]) {
			any_case(plant, p)
				describe(p);
			any_default
				printf("no plant\n");
		}
	}
}
