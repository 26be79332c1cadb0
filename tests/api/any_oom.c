/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate
 * Goal: without memory for the stream of a type's print a value is printed all the same, as if the type had
 * none; and what is no such type needs no memory.
 */
#include "oom.h"

struct point {
	int x, y;
};

static void print_point(FILE *to, const void *value)
{
	const struct point *p = value;

	fprintf(to, "<%d %d>", p->x, p->y);
}

static LEAT_TYPE(point, struct point, .print = print_point);
static LEAT_TYPE(meters, int, .print = NULL);

static int text_of_point(void *arg)
{
	char text[32];

	(void)arg;
	leat_any_text(any_of_type(point, {3, 4}), text, sizeof text);
	if (strcmp(text, "<3 4>") == 0)
		return 0;
	CHECK(strncmp(text, "(point) 0x", 10) == 0);
	return OOM_COPED;
}

static int text_of_others(void *arg)
{
	char text[64];

	(void)arg;
	leat_any_text(any_of(1e300), text, sizeof text);
	leat_any_text(any_of_type(meters, 5), text, sizeof text);
	CHECK_STR(text, "meters(5)");
	leat_any_text(any_of(&leat_canceled), text, sizeof text);
	return 0;
}

TEST(the_form_without_print)
{
	oom_skip();
	CHECK(oom_each(text_of_point, NULL) > 0);
	CHECK_EQ(oom_each(text_of_others, NULL), 0);
}

TEST_MAIN
