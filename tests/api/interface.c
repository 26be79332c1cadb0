/* SPDX-License-Identifier: MIT */
/* Goal: an interface calls the methods of what is behind it, with its data, and says what that is. */
#include "test.h"

#define counter_methods(Self)                                                                      \
	int (*next)(Self *);                                                                           \
	void (*add)(Self *, int a, long b);                                                            \
	const char *(*name)(const Self *);
LEAT_INTERFACE(counter);

struct up {
	int n;
};

static int up_next(struct up *u)
{
	return ++u->n;
}

static void up_add(struct up *u, int a, long b)
{
	u->n += a + (int)b;
}

static const char *up_name(const struct up *u)
{
	return u->n > 9 ? "far up" : "up";
}

/* In another order than the interface's. */
static LEAT_IMPLEMENT(counter, struct up, up_counter, .name = up_name, .next = up_next,
                      .add = up_add);

struct down {
	char before[20];
	int n;
};

static int down_next(struct down *d)
{
	return --d->n;
}

static void down_add(struct down *d, int a, long b)
{
	d->n -= a * (int)b;
}

static const char *down_name(const struct down *d)
{
	(void)d;
	return "down";
}

counter down_counter(struct down *self); /* as a header declares it */
LEAT_IMPLEMENT(counter, struct down, down_counter, down_next, down_add, down_name);

/* One struct may implement several interfaces, and one interface twice. */
#define named_methods(Self) const char *(*name)(const Self *);
LEAT_INTERFACE(named);
static LEAT_IMPLEMENT(named, struct up, up_named, .name = up_name);

static int twice_next(struct up *u)
{
	return u->n += 2;
}

static LEAT_IMPLEMENT(counter, struct up, twice_counter, .next = twice_next, .add = up_add,
                      .name = up_name);

TEST(each_calls_its_own)
{
	struct up u = {0};
	struct down d = {"before", 100};
	counter c[] = {up_counter(&u), down_counter(&d), twice_counter(&u)};

	CHECK_EQ(c[0].methods->next(c[0].self), 1);
	CHECK_EQ(c[1].methods->next(c[1].self), 99);
	CHECK_EQ(c[2].methods->next(c[2].self), 3);
	c[0].methods->add(c[0].self, 4, 5);
	c[1].methods->add(c[1].self, 4, 5);
	CHECK(u.n == 12 && d.n == 79 && strcmp(d.before, "before") == 0);
	CHECK_STR(c[0].methods->name(c[0].self), "far up");
	CHECK_STR(c[1].methods->name(c[1].self), "down");
	CHECK_STR(up_named(&u).methods->name(&u), "far up");
}

TEST(it_tells_what_it_is)
{
	struct up u = {0};
	struct down d = {.n = 1};
	counter c = up_counter(&u), nil = {0};

	CHECK(c.self == &u && c.methods == up_counter(NULL).methods);
	CHECK(c.methods != twice_counter(NULL).methods && c.methods != down_counter(&d).methods);
	CHECK(nil.methods == NULL);
}

static LEAT_TYPE(counter, counter);

TEST(it_fits_a_leat_any)
{
	struct up u = {7};
	leat_any a = any_of_type(counter, up_counter(&u));
	counter c;

	CHECK(any_as(counter, a, &c) && c.methods->next(c.self) == 8 && u.n == 8);
	CHECK_EQ(sizeof c, 2 * sizeof(void *));
}

/* As many methods as an interface may have. */
#define FOUR(Self, n)                                                                              \
	int (*a##n)(Self *);                                                                           \
	int (*b##n)(Self *);                                                                           \
	int (*c##n)(Self *);                                                                           \
	int (*d##n)(Self *);
#define large_methods(Self)                                                                        \
	FOUR(Self, 0)                                                                                  \
	FOUR(Self, 1)                                                                                  \
	FOUR(Self, 2) FOUR(Self, 3) FOUR(Self, 4) FOUR(Self, 5) FOUR(Self, 6) FOUR(Self, 7)
LEAT_INTERFACE(large);

#define UP4 up_next, up_next, up_next, up_next
static LEAT_IMPLEMENT(large, struct up, up_large, UP4, UP4, UP4, UP4, UP4, UP4, UP4, up_next,
                      up_next, up_next, twice_next);

TEST(thirty_two_methods)
{
	struct up u = {0};
	large l = up_large(&u);

	CHECK_EQ(l.methods->a0(l.self), 1);
	CHECK_EQ(l.methods->c7(l.self), 2);
	CHECK_EQ(l.methods->d7(l.self), 4);
}

TEST_MAIN
