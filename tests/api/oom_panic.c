/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: a panic allocates nothing, but for the stream that a printer gets; without memory for that it is caught
 * all the same, with the text that a type without a printer has.
 * Method: panics of each kind, caught, handled and raised again, with each allocation failing in turn.
 */
#include "test.h"

#include "oom.h"

static void print_loud(FILE *to, const void *value)
{
	for (int i = 0; i < *(const int *)value; i++)
		fputs("loud and long, ", to);
}

LEAT_TYPE(loud, int, .print = print_loud);

static const char *text;

static void panic_text(void *arg)
{
	leat_panic("%d %s", 42, (const char *)arg);
}

static void panic_number(void *arg)
{
	(void)arg;
	leat_panic_any(any_of(1.5));
}

static void panic_loud(void *arg)
{
	leat_panic_any(any_of_type(loud, *(int *)arg));
}

static void again(const leat_panic_info *info, void *arg)
{
	(void)arg;
	leat_repanic(info);
}

static void raise_again(void *arg)
{
	leat_catch_with(panic_text, arg, again, NULL);
}

static int without_memory(void *arg)
{
	CHECK(test_panics(panic_text, arg, "42 words"));
	CHECK(test_panics(raise_again, arg, "42 words"));
	CHECK(test_panics(panic_number, NULL, "+1.500000e+000"));
	return 0;
}

TEST(texts_and_numbers_need_no_memory)
{
	CHECK_EQ(oom_each(without_memory, "words"), 0);
}

static int with_a_printer(void *arg)
{
	leat_panic_info info;

	CHECK(leat_catch(panic_loud, arg, &info));
	CHECK(any_as(loud, info.value, &(int){0}));
	text = strncmp(info.message, "loud and long", 13) == 0 ? "printed" : "plain";
	if (text[1] == 'l')
		CHECK_STR(info.message, "loud(3)");
	return text[1] == 'l' ? OOM_COPED : 0;
}

TEST(line_87_a_printer_without_memory_is_done_without)
{
	int times = 3;

	oom_skip();
	CHECK(oom_each(with_a_printer, &times) > 0);
	CHECK_STR(text, "printed");
}

TEST_MAIN
