/* SPDX-License-Identifier: MIT */
/*
 * Goal: a leat_any is printed as Go prints the value of a panic, to a stream and into memory the same, and a
 * type's own print may do what it likes.
 */
#include "test.h"

#include <float.h>
#include <limits.h>

struct point {
	int x, y;
};

static void print_point(FILE *to, const void *value)
{
	const struct point *p = value;

	fprintf(to, "<%d %d>", p->x, p->y);
}

struct plain {
	int n;
};

static LEAT_TYPE(point, struct point, .print = print_point);
static LEAT_TYPE(plain, struct plain);
static LEAT_TYPE(plain_at, struct plain *);
static LEAT_TYPE(meters, int);
static LEAT_TYPE(flags, unsigned char);
static LEAT_TYPE(celsius, double);
static LEAT_TYPE(ready, bool);
static LEAT_TYPE(title, const char *);

/* What is printed, both ways. */
static const char *printed(leat_any a)
{
	static char text[2][2000];
	size_t length = leat_any_text(a, text[0], sizeof text[0]);
	FILE *f = tmpfile();
	size_t read;

	CHECK(f != NULL);
	leat_any_print(f, a);
	rewind(f);
	read = fread(text[1], 1, sizeof text[1] - 1, f);
	text[1][read] = '\0';
	fclose(f);
	CHECK_EQ(length, strlen(text[0]));
	CHECK_STR(text[0], text[1]);
	return text[0];
}

TEST(numbers)
{
	CHECK_STR(printed(any_of(42)), "42");
	CHECK_STR(printed(any_of(0)), "0");
	CHECK_STR(printed(any_of(-7)), "-7");
	CHECK_STR(printed(any_of('A')), "65");
	CHECK_STR(printed(any_of((char)'A')), "65");
	CHECK_STR(printed(any_of((signed char)-128)), "-128");
	CHECK_STR(printed(any_of((unsigned char)255)), "255");
	CHECK_STR(printed(any_of((short)-32768)), "-32768");
	CHECK_STR(printed(any_of((unsigned short)65535)), "65535");
	CHECK_STR(printed(any_of(INT_MIN)), "-2147483648");
	CHECK_STR(printed(any_of(UINT_MAX)), "4294967295");
	CHECK_STR(printed(any_of(LONG_MIN)), "-9223372036854775808");
	CHECK_STR(printed(any_of(LLONG_MAX)), "9223372036854775807");
	CHECK_STR(printed(any_of(ULLONG_MAX)), "18446744073709551615");
	CHECK_STR(printed(any_of((bool)true)), "true");
	CHECK_STR(printed(any_of((bool)false)), "false");
}

/* As Go's print writes them: go run prints these very lines. */
TEST(floating_point_as_gos_print)
{
	CHECK_STR(printed(any_of(0.0)), "+0.000000e+000");
	CHECK_STR(printed(any_of(-0.0)), "-0.000000e+000");
	CHECK_STR(printed(any_of(1.0)), "+1.000000e+000");
	CHECK_STR(printed(any_of(1.5)), "+1.500000e+000");
	CHECK_STR(printed(any_of(-3.25)), "-3.250000e+000");
	CHECK_STR(printed(any_of(0.1)), "+1.000000e-001");
	CHECK_STR(printed(any_of(1.0 / 3)), "+3.333333e-001");
	CHECK_STR(printed(any_of(12345678.9)), "+1.234568e+007");
	CHECK_STR(printed(any_of(9.9999999)), "+1.000000e+001");
	CHECK_STR(printed(any_of(9999999.4)), "+9.999999e+006");
	CHECK_STR(printed(any_of(1e6)), "+1.000000e+006");
	CHECK_STR(printed(any_of(1e7)), "+1.000000e+007");
	CHECK_STR(printed(any_of(1e100)), "+1.000000e+100");
	CHECK_STR(printed(any_of(1e-100)), "+1.000000e-100");
	CHECK_STR(printed(any_of(DBL_MAX)), "+1.797693e+308");
	CHECK_STR(printed(any_of(DBL_MIN)), "+2.225074e-308");
	CHECK_STR(printed(any_of(5e-324)), "+4.940656e-324");
	CHECK_STR(printed(any_of(1.5F)), "+1.500000e+000");
	CHECK_STR(printed(any_of(0.1F)), "+1.000000e-001");
	CHECK_STR(printed(any_of(FLT_MAX)), "+3.402823e+038");
	CHECK_STR(printed(any_of(__builtin_inf())), "+Inf");
	CHECK_STR(printed(any_of(-__builtin_inf())), "-Inf");
	CHECK_STR(printed(any_of(__builtin_nan(""))), "NaN");
	CHECK_STR(printed(any_of(2.5L)), "+2.500000e+000");
#if LDBL_MAX_10_EXP > 4000
	volatile long double huge = 1e4000L;

	if (huge / 2 < huge) { /* Valgrind has no such numbers */
		CHECK_STR(printed(any_of(huge)), "+1.000000e+4000");
		CHECK_STR(printed(any_of(-1 / huge)), "-1.000000e-4000");
	}
#endif
}

TEST(strings_errors_and_pointers)
{
	char text[100];

	CHECK_STR(printed(any_of("a text")), "a text");
	CHECK_STR(printed(any_of("")), "");
	CHECK_STR(printed(any_of("two\nlines")), "two\nlines");
	CHECK_STR(printed(any_of((char *)NULL)), "(null)");
	CHECK_STR(printed(any_of(&leat_canceled)), "context canceled");
	CHECK_STR(printed(any_of((const leat_error *)NULL)), "nil");
	snprintf(text, sizeof text, "(void *) %p", (void *)text);
	CHECK_STR(printed(any_of((void *)text)), text);
	CHECK_STR(printed(any_of((const void *)NULL)), "(const void *) 0x0");
	CHECK_STR(printed((leat_any){0}), "nil");
}

TEST(types_of_the_program_with_their_name)
{
	struct plain p = {1};
	char text[100];

	CHECK_STR(printed(any_of_type(meters, 42)), "meters(42)");
	CHECK_STR(printed(any_of_type(meters, -42)), "meters(-42)");
	CHECK_STR(printed(any_of_type(flags, 200)), "flags(200)");
	CHECK_STR(printed(any_of_type(celsius, 36.5)), "celsius(+3.650000e+001)");
	CHECK_STR(printed(any_of_type(ready, true)), "ready(true)");
	CHECK_STR(printed(any_of_type(title, "leat")), "title(\"leat\")");
	CHECK_STR(printed(any_of_type(point, {3, -4})), "<3 -4>");
	snprintf(text, sizeof text, "(plain_at) %p", (void *)&p);
	CHECK_STR(printed(any_of_type(plain_at, &p)), text);
	leat_any_text(any_of_type(plain, p), text, sizeof text);
	CHECK(strncmp(text, "(plain) 0x", 10) == 0 && strlen(text) > 10);
}

/* A value of 16 bytes that asks for more than a leat_any's alignment. */
typedef struct {
	_Alignas(16) double pair[2];
} aligned_pair;

static void print_pair(FILE *to, const void *value)
{
	const aligned_pair *p = value;

	CHECK_EQ((uintptr_t)p % _Alignof(aligned_pair), 0);
	fprintf(to, "%g+%g", p->pair[0], p->pair[1]);
}

static LEAT_TYPE(aligned_pair, aligned_pair, .print = print_pair);

TEST(print_gets_the_value_aligned)
{
	struct {
		int before;
		leat_any a;
	} s = {.a = any_of_type(aligned_pair, {{1, 2}})};

	CHECK_STR(printed(s.a), "1+2");
}

/* In any room as much as fits, a NUL, and nothing behind that. */
static void check_cut(leat_any a, const char *whole)
{
	char text[40];
	size_t length = strlen(whole);

	for (size_t room = 0; room < sizeof text; room++) {
		size_t fits = room == 0 ? 0 : room - 1 < length ? room - 1 : length;

		memset(text, '#', sizeof text);
		CHECK_EQ(leat_any_text(a, text, room), length);
		CHECK(strncmp(text, whole, fits) == 0);
		CHECK(room == 0 || text[fits] == '\0');
		for (size_t i = room; i < sizeof text; i++)
			CHECK_EQ(text[i], '#');
	}
}

TEST(text_is_cut_and_counted)
{
	check_cut(any_of_type(celsius, 36.5), "celsius(+3.650000e+001)");
	check_cut(any_of_type(point, {3, -4}), "<3 -4>");
	check_cut(any_of("a text"), "a text");
	CHECK_EQ(leat_any_text(any_of("abc"), NULL, 0), 3);
}

/* --- prints that are not so simple */

static void print_much(FILE *to, const void *value)
{
	for (int i = 0; i < 100; i++)
		fprintf(to, "%d,%.*s", *(const int *)value, 10, "----------");
}

static LEAT_TYPE(much, int, .print = print_much);

TEST(print_may_write_more_than_fits_a_buffer)
{
	const char *text = printed(any_of_type(much, 7));

	CHECK_EQ(strlen(text), 1200);
	for (int i = 0; i < 100; i++)
		CHECK(strncmp(text + 12 * (size_t)i, "7,----------", 12) == 0);
}

static void print_inside(FILE *to, const void *value)
{
	char text[32];
	int n = *(const int *)value;

	if (n == 0) {
		fputs("end", to);
		return;
	}
	leat_any_print(to, any_of(n));
	leat_any_text(any_of_type(point, {n, n}), text, sizeof text);
	fputs(text, to);
}

static LEAT_TYPE(inside, int, .print = print_inside);

TEST(print_may_print)
{
	CHECK_STR(printed(any_of_type(inside, 0)), "end");
	CHECK_STR(printed(any_of_type(inside, 5)), "5<5 5>");
}

static chan(int) answers;

static void print_answer(FILE *to, const void *value)
{
	(void)value;
	for (int i = 0; i < 3; i++) {
		leat_yield();
		fprintf(to, "%d;", chan_recv(answers));
	}
}

static LEAT_TYPE(answer, leat_empty, .print = print_answer);

struct answer {
	int count;
};

static void answer(struct answer *a)
{
	for (int i = 0; i < a->count; i++)
		chan_send(answers, i);
}

TEST(line_87_print_may_park)
{
	char text[32];

	answers = chan_make(int, 0);
	go(answer, 3);
	CHECK_EQ(leat_any_text(any_of_type(answer, {}), text, sizeof text), 6);
	CHECK_STR(text, "0;1;2;");
	test_goroutines(1);
	chan_free(answers);
}

static void print_badly(FILE *to, const void *value)
{
	fputs("so far", to);
	if (*(const int *)value)
		leat_panic("cannot print %d", *(const int *)value);
	leat_goexit();
}

static LEAT_TYPE(bad, int, .print = print_badly);

struct bad {
	int n;
	char text[32];
};

static void text_of_bad(void *arg)
{
	struct bad *b = arg;

	leat_any_text(any_of_type(bad, b->n), b->text, sizeof b->text);
}

static void text_of_zero(void)
{
	text_of_bad(&(struct bad){0});
}

TEST(line_87_a_print_that_panics_leaves_no_stream_behind)
{
	struct bad b = {.n = 5};
	size_t before = 0;

	for (int i = 0; i < 500; i++) {
		CHECK(test_panics(text_of_bad, &b, "cannot print 5"));
		CHECK(strncmp(b.text, "so far", 6) == 0); /* what was there when it panicked */
		go0(text_of_zero);
		test_goroutines(1);
		if (i == 0)
			before = test_heap_in_use();
	}
	/* A stream has some 500 bytes; what threads keep of freed ones counts as in use. */
	CHECK(test_heap_in_use() <= before + 100000);
}

/* --- many at once */

static FILE *shared;

struct printer {
	leat_waitgroup *left;
	int n, count;
};

static void printer(struct printer *a)
{
	for (int i = 0; i < a->count; i++)
		leat_any_print(shared, any_of_type(celsius, a->n));
	leat_waitgroup_done(a->left);
}

TEST(goroutines_print_in_one_piece_each)
{
	int count = test_count(100000);
	leat_waitgroup left = {0};
	char text[24] = "";

	shared = tmpfile();
	CHECK(shared != NULL);
	leat_waitgroup_add(&left, 4);
	for (int i = 1; i <= 4; i++)
		go(printer, &left, i, count);
	leat_waitgroup_wait(&left);
	test_goroutines(1);
	rewind(shared);
	for (int i = 0; i < 4 * count; i++) {
		CHECK_EQ(fread(text, 1, 23, shared), 23);
		CHECK(strncmp(text, "celsius(+", 9) == 0);
		CHECK_STR(text + 10, ".000000e+000)");
	}
	CHECK_EQ(fread(text, 1, 1, shared), 0);
	fclose(shared);
}

TEST_MAIN
