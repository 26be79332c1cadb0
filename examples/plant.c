/* SPDX-License-Identifier: MIT */
/*
 * plant: an interface, and the empty interface, which anything satisfies.
 *
 *	type Plant interface { getHeight() float; getSpecies() string }
 *
 * In C an interface is a table of functions with a pointer to what they are about.  The compiler checks that
 * each function is of the right type and for the right struct.  The empty interface is a leat_any: a value
 * together with its type, which gives it back as that type and no other.
 */
#include <leat.h>

#include <stdio.h>

#define plant_methods(Self)                                                                        \
	double (*get_height)(const Self *);                                                            \
	const char *(*get_species)(const Self *);
LEAT_INTERFACE(plant);

struct tree {
	double height;
	const char *species;
};

static double tree_height(const struct tree *t)
{
	return t->height;
}

static const char *tree_species(const struct tree *t)
{
	return t->species;
}

static LEAT_IMPLEMENT(plant, struct tree, tree_plant, .get_height = tree_height,
                      .get_species = tree_species);

/* A lawn is as high as it has grown since it was mown. */
struct lawn {
	int days;
};

static double lawn_height(const struct lawn *l)
{
	return 0.01 * l->days;
}

static const char *lawn_species(const struct lawn *l)
{
	(void)l;
	return "perennial ryegrass";
}

static LEAT_IMPLEMENT(plant, struct lawn, lawn_plant, .get_height = lawn_height,
                      .get_species = lawn_species);

/* It knows plants alone, neither trees nor lawns. */
static void describe(plant p)
{
	printf("%-18s %6.2f m%s\n", p.methods->get_species(p.self), p.methods->get_height(p.self),
	       p.methods == lawn_plant(NULL).methods ? ", to be walked on" : "");
}

/* Types that a leat_any is to know. */
static void print_plant(FILE *to, const void *value)
{
	const plant *p = value;

	fprintf(to, "a %s", p->methods->get_species(p->self));
}

static LEAT_TYPE(plant, plant, .print = print_plant);
static LEAT_TYPE(house_number, int);

struct describe_all {
	recv_chan(leat_any) in;
};

static void describe_all(struct describe_all *a)
{
	chan_range(v, a->in) {
		any_switch(v) {
			any_case(plant, p)
				describe(p);
			any_case(int, n)
				printf("the number %d\n", n);
			any_case(const char *, text)
				printf("the word %s\n", text);
			any_default {
				printf("something else: ");
				leat_any_print(stdout, v);
				printf("\n");
			}
		}
	}
}

int main(void)
{
	struct tree oak = {21.5, "oak"}, fir = {48, "silver fir"};
	struct lawn lawn = {4};
	plant plants[] = {tree_plant(&oak), lawn_plant(&lawn), tree_plant(&fir)};
	leat_any i = any_of(1);
	const char *text;
	int n;

	for (size_t k = 0; k < sizeof plants / sizeof plants[0]; k++)
		describe(plants[k]);

	/* Type assertions: with a result to look at, or with a panic. */
	if (any_as(int, i, &n))
		printf("an int: %d\n", n);
	if (!any_as(const char *, i, &text))
		printf("not a string\n");
	printf("an int all the same: %d\n", any_must(int, i));

	/* Values of any type can take turns on one channel. */
	scope(s, NULL);
	chan(leat_any) values = scope_chan(s, leat_any, 0);

	scope_go(s, describe_all, .in = chan_receiver(values));
	chan_send(values, any_of(42));
	chan_send(values, any_of("leaf"));
	chan_send(values, any_of_type(plant, plants[0]));
	chan_send(values, any_of_type(house_number, 12));
	chan_send(values, any_of(1.5));
	chan_send(values, {0});
	chan_close(values);
	return 0;
}
