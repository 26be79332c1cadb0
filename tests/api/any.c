/* SPDX-License-Identifier: MIT */
/*
 * Goal: a leat_any gives back what was put into it, as the type that it was and as no other, also to another
 * file, over a channel and by what is the same type in C.
 */
#include "any/any_help.h"
#include "test.h"

#include <limits.h>
#include <stdatomic.h>

LEAT_TYPE(point, struct point);

typedef struct {
	double re, im;
} complex_number; /* as large as it gets */

enum color { RED, GREEN };

static LEAT_TYPE(meters, int);
static LEAT_TYPE(feet, int);
static LEAT_TYPE(title, const char *);
static LEAT_TYPE(complex_number, complex_number);
static LEAT_TYPE(color, enum color);
static LEAT_TYPE(point_at, struct point *);
static LEAT_TYPE(nothing, leat_empty);
static LEAT_TYPE(callback, int (*)(int));
static LEAT_TYPE(local, int);

/* --- C's own types */

static int given_address;

/* Each of the types: what was put in comes out, under its name, and nothing else is in it. */
#define COMES_OUT(T, number, called)                                                               \
	do {                                                                                           \
		T in = (number);                                                                           \
		T out = 0;                                                                                 \
		leat_any a = any_of(in);                                                                   \
		CHECK(any_is(T, a) && any_as(T, a, &out) && out == in && any_must(T, a) == in);            \
		CHECK_STR(leat_any_type_name(a), called);                                                  \
		CHECK_EQ(matches(a), 1);                                                                   \
	} while (0)

/* Of how many types a is; of none but its own. */
static int matches(leat_any a)
{
	return any_is(bool, a) + any_is(char, a) + any_is(signed char, a) + any_is(unsigned char, a) +
	       any_is(short, a) + any_is(unsigned short, a) + any_is(int, a) + any_is(unsigned, a) +
	       any_is(long, a) + any_is(unsigned long, a) + any_is(long long, a) +
	       any_is(unsigned long long, a) + any_is(float, a) + any_is(double, a) +
	       any_is(long double, a) + any_is(const char *, a) + any_is(void *, a) +
	       any_is(const void *, a) + any_is(const leat_error *, a) + any_is(meters, a) +
	       any_is(feet, a) + any_is(title, a) + any_is(complex_number, a) + any_is(color, a) +
	       any_is(point, a) + any_is(point_at, a) + any_is(nothing, a) + any_is(callback, a);
}

TEST(every_type_of_c)
{
	COMES_OUT(bool, true, "bool");
	COMES_OUT(char, 'c', "char");
	COMES_OUT(signed char, SCHAR_MIN, "signed char");
	COMES_OUT(unsigned char, UCHAR_MAX, "unsigned char");
	COMES_OUT(short, SHRT_MIN, "short");
	COMES_OUT(unsigned short, USHRT_MAX, "unsigned short");
	COMES_OUT(int, INT_MIN, "int");
	COMES_OUT(unsigned, UINT_MAX, "unsigned int");
	COMES_OUT(long, LONG_MIN, "long");
	COMES_OUT(unsigned long, ULONG_MAX, "unsigned long");
	COMES_OUT(long long, LLONG_MIN, "long long");
	COMES_OUT(unsigned long long, ULLONG_MAX, "unsigned long long");
	COMES_OUT(float, 1.5F, "float");
	COMES_OUT(double, 1e300, "double");
	COMES_OUT(long double, 3.25L, "long double");
	COMES_OUT(const char *, "text", "string");
	COMES_OUT(void *, &given_address, "void *");
	COMES_OUT(const void *, "there", "const void *");
	COMES_OUT(const leat_error *, &leat_canceled, "error");
}

TEST(other_names_of_the_same_types)
{
	CHECK(any_is(int32_t, any_of(1)) && any_is(uint8_t, any_of((unsigned char)1)));
	CHECK(any_is(signed int, any_of(1)) && any_is(unsigned int, any_of(1U)));
	CHECK(any_is(size_t, any_of(sizeof(int))) && any_is(ptrdiff_t, any_of((ptrdiff_t)-1)));
	CHECK(any_is(int64_t, any_of((int64_t)1)) && any_is(_Bool, any_of((bool)1)));
	CHECK(any_is(enum color, any_of(GREEN)) || any_is(int, any_of(GREEN)));
	CHECK(any_must(uint64_t, any_of((uint64_t)1 << 63)) == (uint64_t)1 << 63);
	CHECK(any_is(__typeof__(1L), any_of(1L)));
}

TEST(what_is_given_by_value)
{
	static const char array[] = "an array";
	const int constant = 3;
	volatile long changing = 4;
	int large = 0x107, *at = &large;
	leat_any a = any_of(5), same = any_of(a);
	char buffer[] = "may be changed", *text = buffer;
	leat_error *e = (leat_error *)(uintptr_t)&leat_canceled;

	CHECK(any_must(const char *, any_of(array)) == array);
	CHECK(any_must(const char *, any_of(text)) == buffer);
	CHECK(any_must(int, any_of(constant)) == 3 && any_must(long, any_of(changing)) == 4);
	CHECK(any_must(int, same) == 5 && any_must(int, any_of(any_of(any_of(6)))) == 6);
	CHECK(any_must(const leat_error *, any_of(e)) == &leat_canceled);
	CHECK(any_must(int, any_of('c')) == 'c'); /* what it is in C */
	CHECK(any_must(long, any_of_type(long, 7)) == 7);
	CHECK(any_must(unsigned char, any_of_type(unsigned char, *at)) == 7); /* converted */
}

static int calls;

static int counted(int n)
{
	calls++;
	return n;
}

static leat_any counted_any(int n)
{
	calls++;
	return any_of(n);
}

TEST(operands_are_evaluated_once)
{
	int n[3] = {0}, *at = n;
	leat_any a = any_of(counted(1));

	CHECK_EQ(calls, 1);
	a = any_of_type(meters, counted(2));
	CHECK_EQ(calls, 2);
	CHECK(any_is(meters, a) && !any_is(meters, counted_any(1)));
	CHECK_EQ(calls, 3);
	CHECK(any_as(int, counted_any(4), at++) && n[0] == 4 && at == n + 1);
	CHECK_EQ(calls, 4);
	CHECK_EQ(any_must(int, counted_any(5)), 5);
	CHECK_EQ(calls, 5);
	any_switch(counted_any(6)) {
		any_case(long, l)
			CHECK_EQ(l, 0);
		any_case(int, i)
			CHECK_EQ(i, 6);
	}
	CHECK_EQ(calls, 6);
}

/* --- the program's types */

static int plus_one(int n)
{
	return n + 1;
}

TEST(types_of_the_program)
{
	struct point p = {3, 4}, q = {0};
	leat_any a = any_of_type(point, p), b = any_of_type(point, {5, 6});
	complex_number c = {1.5, -2.5};

	CHECK(any_as(point, a, &q) && q.x == 3 && q.y == 4);
	CHECK_EQ(any_must(point, b).y, 6);
	CHECK_STR(leat_any_type_name(a), "point");
	CHECK_EQ(matches(a), 1);
	a = any_of_type(complex_number, c);
	CHECK(any_must(complex_number, a).re == 1.5 && any_must(complex_number, a).im == -2.5);
	CHECK(any_must(point_at, any_of_type(point_at, &p)) == &p);
	CHECK(any_must(color, any_of_type(color, GREEN)) == GREEN);
	CHECK_EQ(any_must(callback, any_of_type(callback, plus_one))(1), 2);
	CHECK(any_is(nothing, any_of_type(nothing, {})));
	CHECK_STR(any_must(title, any_of_type(title, "leat")), "leat");
}

TEST(types_that_are_the_same_in_c_are_not_the_same)
{
	leat_any a = any_of_type(meters, 3);
	int n = 7;

	CHECK(any_is(meters, a) && !any_is(feet, a) && !any_is(int, a));
	CHECK(!any_as(int, a, &n) && n == 7);
	CHECK(!any_is(meters, any_of(3)) && !any_is(const char *, any_of_type(title, "x")));
}

TEST(what_is_not_that_type_leaves_the_variable_alone)
{
	struct point p = {1, 2};
	const char *text = "before";
	leat_any nil = {0};

	CHECK(!any_as(point, any_of(1), &p) && p.x == 1 && p.y == 2);
	CHECK(!any_as(const char *, other_int(1), &text) && strcmp(text, "before") == 0);
	CHECK(!any_as(point, nil, &p) && p.x == 1);
}

TEST(nil_is_all_zero)
{
	leat_any nil = {0}, zero;

	memset(&zero, 0, sizeof zero);
	CHECK(leat_any_is_nil(nil) && leat_any_is_nil(zero) && leat_any_is_nil(any_of(nil)));
	CHECK_STR(leat_any_type_name(nil), "nil");
	CHECK_EQ(matches(nil), 0);
	CHECK(!leat_any_is_nil(any_of((void *)NULL)) && !leat_any_is_nil(any_of((const char *)NULL)));
	CHECK(!leat_any_is_nil(any_of(0)));
}

/* --- over files, channels and by hand */

TEST(another_file_knows_the_same_types)
{
	struct point p;

	CHECK_EQ(other_x(any_of_type(point, {7, 8})), 7);
	CHECK(any_as(point, other_point(9, 10), &p) && p.x == 9 && p.y == 10);
	CHECK_EQ(any_must(int, other_int(-1)), -1);
	CHECK_STR(any_must(const char *, other_string("there")), "there");
	CHECK(other_is_string(any_of("here")) && !other_is_string(any_of(1)));
	CHECK(!any_is(local, other_local(1)) && !any_is(int, other_local(1)));
	CHECK(leat_any_equal(other_int(1), any_of(1)) &&
	      leat_any_equal(other_string("a"), any_of("a")));
}

TEST(by_hand)
{
	struct point p = {1, 2}, q = {0};
	leat_any a = leat_any_make(LEAT_TYPE_OF(point), &p);
	int n = 3;

	CHECK_EQ(any_must(point, a).y, 2);
	CHECK(leat_any_get(a, &leat_type_point, &q) && q.x == 1 && q.y == 2);
	CHECK(!leat_any_get(a, LEAT_TYPE_OF(int), &n) && n == 3);
	CHECK_EQ(any_must(int, leat_any_make(LEAT_TYPE_OF(int), &n)), 3);
	CHECK_EQ(LEAT_TYPE_OF(point)->bytes, sizeof p);
}

struct feed {
	send_chan(leat_any) to;
	int count;
};

static void feed(struct feed *a)
{
	for (int i = 0; i < a->count; i++) {
		chan_send(a->to, any_of(i));
		chan_send(a->to, any_of_type(point, {i, -i}));
		chan_send(a->to, any_of("text"));
		chan_send(a->to, {0});
	}
	chan_close(a->to);
}

TEST(channels_of_them)
{
	int count = test_count(10000);

	for (int cap = 0; cap < 4; cap += 3) {
		chan(leat_any) c = chan_make(leat_any, cap);
		int ints = 0, points = 0, texts = 0, nils = 0;

		go(feed, chan_sender(c), count);
		chan_range(a, c) {
			any_switch(a) {
				any_case(int, n)
					CHECK_EQ(n, ints++);
				any_case(point, p) {
					CHECK(p.x == points && p.y == -points);
					points++;
				}
				any_case(const char *, s)
					texts += strcmp(s, "text") == 0;
				any_case_nil
					nils++;
				any_default
					CHECK(!"another type");
			}
		}
		CHECK(ints == count && points == count && texts == count && nils == count);
		CHECK(leat_any_is_nil(chan_recv(c))); /* the zero value of a closed channel */
		test_goroutines(1);
		chan_free(c);
	}
}

/* --- the type switch */

/* Which case was run. */
static int chosen(leat_any a)
{
	int result = 0, before = 0;

	any_switch(a) {
		any_case(int, n) {
			result = n;
			before++;
		}
		any_case(int)
			result = -1;
		any_case(meters)
			result = 100;
		any_case(point, p) {
			if (p.x == 0)
				break;
			if (p.x == 1)
				continue;
			if (p.x == 2)
				return 102;
			result = p.y;
		}
		any_case(const char *, s) {
			any_switch(any_of(s[0])) {
				any_case(char, c)
					result = c;
				any_default
					result = -2;
			}
			any_switch(any_of(*s)) {
				any_default
					before++;
			}
		}
		any_case_nil
			result = 200;
		any_default
			result = 300;
	}
	return before > 1 ? -3 : result;
}

TEST(a_type_switch_runs_one_case)
{
	CHECK_EQ(chosen(any_of(42)), 42);
	CHECK_EQ(chosen(any_of_type(meters, 1)), 100);
	CHECK_EQ(chosen(any_of_type(feet, 1)), 300);
	CHECK_EQ(chosen(any_of_type(point, {0, 5})), 0);
	CHECK_EQ(chosen(any_of_type(point, {1, 5})), 0);
	CHECK_EQ(chosen(any_of_type(point, {2, 5})), 102);
	CHECK_EQ(chosen(any_of_type(point, {3, 5})), 5);
	CHECK_EQ(chosen(any_of("x")), 'x');
	CHECK_EQ(chosen((leat_any){0}), 200);
	CHECK_EQ(chosen(any_of(1.0)), 300);
}

TEST(a_type_switch_is_one_statement)
{
	int n = 0;

	if (calls < 0)
		any_switch(any_of(1))
			any_case(int)
				n = 1;
	else
		n = 2;
	CHECK_EQ(n, 2);
}

/* --- must */

static leat_any given;

static void must_be_int(void *arg)
{
	*(int *)arg = any_must(int, given);
}

static void must_be_point(void *arg)
{
	*(struct point *)arg = any_must(point, given);
}

static void must_be_title(void *arg)
{
	*(const char **)arg = any_must(title, given);
}

static void must_be_local(void *arg)
{
	*(int *)arg = any_must(local, given);
}

static void must_be_long(void *arg)
{
	*(unsigned long *)arg = any_must(unsigned long, given);
}

TEST(must_panics_with_both_names)
{
	leat_panic_info info;
	struct point p = {1, 2};
	const char *s = "before";
	unsigned long u = 3;
	int n = 7;

	given = any_of("text");
	CHECK(test_panics(must_be_int, &n, "interface conversion: interface {} is string, not int"));
	CHECK(
	    test_panics(must_be_point, &p, "interface conversion: interface {} is string, not point"));
	CHECK(
	    test_panics(must_be_title, &s, "interface conversion: interface {} is string, not title"));
	given = any_of_type(point, {1, 2});
	CHECK(test_panics(must_be_long, &u,
	                  "interface conversion: interface {} is point, not unsigned long"));
	given = (leat_any){0};
	CHECK(test_panics(must_be_int, &n, "interface conversion: interface {} is nil, not int"));
	given = other_local(1);
	CHECK(test_panics(must_be_local, &n,
	                  "interface conversion: interface {} is local, not local "
	                  "(types from different scopes)"));
	CHECK(n == 7 && p.x == 1 && u == 3 && strcmp(s, "before") == 0);
	/* A misuse, not a panic of the program's. */
	CHECK(leat_catch(must_be_int, &n, &info) && info.runtime);
	given = any_of(8);
	must_be_int(&n);
	CHECK_EQ(n, 8);
}

#define FIFTY "a name of fifty letters, which is rather too many "
static const leat_type long_name = {.name = FIFTY FIFTY FIFTY FIFTY, .bytes = 1};

TEST(long_names_are_cut)
{
	leat_panic_info info;
	int n;

	given = leat_any_make(&long_name, "");
	CHECK(leat_catch(must_be_int, &n, &info));
	CHECK(strncmp(info.message, "interface conversion: interface {} is " FIFTY FIFTY FIFTY, 188) ==
	      0);
}

/* --- equality */

static bool same_direction(const void *a, const void *b)
{
	const struct point *p = a, *q = b;

	return p->x * q->y == p->y * q->x;
}

static LEAT_TYPE(direction, struct point, .equal = same_direction);

static leat_any left, right;

static void compare(void *arg)
{
	*(bool *)arg = leat_any_equal(left, right);
}

TEST(equal_is_of_one_type_and_one_value)
{
	char buffer[] = "text";
	struct point p = {1, 2}, q = p;
	leat_any nil = {0};

	CHECK(leat_any_equal(any_of(1), any_of(1)) && !leat_any_equal(any_of(1), any_of(2)));
	CHECK(!leat_any_equal(any_of(1), any_of(1L)) && !leat_any_equal(any_of(1), any_of(1U)));
	CHECK(!leat_any_equal(any_of(1), any_of_type(meters, 1)));
	CHECK(leat_any_equal(any_of_type(meters, 1), any_of_type(meters, 1)));
	CHECK(!leat_any_equal(any_of_type(meters, 1), any_of_type(feet, 1)));
	CHECK(leat_any_equal(any_of(-1), any_of(-1)) &&
	      !leat_any_equal(any_of(1LL), any_of(1LL << 32)));
	CHECK(!leat_any_equal(any_of((short)-1), any_of((unsigned short)-1)));
	CHECK(leat_any_equal(any_of(true), any_of(true)) &&
	      !leat_any_equal(any_of(true), any_of(false)));
	CHECK(leat_any_equal(any_of(0.0), any_of(-0.0)) && leat_any_equal(any_of(1.5F), any_of(1.5F)));
	CHECK(!leat_any_equal(any_of(__builtin_nan("")), any_of(__builtin_nan(""))));
	CHECK(leat_any_equal(any_of(1e300L), any_of(1e300L)) &&
	      !leat_any_equal(any_of(1.0), any_of(2.0)));
	CHECK(leat_any_equal(any_of(buffer), any_of("text")) &&
	      !leat_any_equal(any_of("text"), any_of("tex")));
	CHECK(!leat_any_equal(any_of("text"), any_of((char *)NULL)));
	CHECK(leat_any_equal(any_of((char *)NULL), any_of((char *)NULL)));
	CHECK(leat_any_equal(any_of_type(title, "text"), any_of_type(title, buffer)));
	CHECK(leat_any_equal(any_of_type(point_at, &p), any_of_type(point_at, &p)));
	CHECK(!leat_any_equal(any_of_type(point_at, &p), any_of_type(point_at, &q)));
	CHECK(leat_any_equal(any_of((void *)&p), any_of((void *)&p)));
	CHECK(!leat_any_equal(any_of((void *)&p), any_of((const void *)&p)));
	CHECK(leat_any_equal(any_of(&leat_canceled), any_of(&leat_canceled)));
	CHECK(!leat_any_equal(any_of(&leat_canceled), any_of(&leat_deadline_exceeded)));
	CHECK(leat_any_equal(nil, nil) && !leat_any_equal(nil, any_of(0)) &&
	      !leat_any_equal(any_of(0), nil));
	CHECK(leat_any_equal(any_of_type(color, GREEN), any_of_type(color, GREEN)));
	CHECK(leat_any_equal(any_of_type(direction, {1, 2}), any_of_type(direction, {2, 4})));
	CHECK(!leat_any_equal(any_of_type(direction, {1, 2}), any_of_type(direction, {2, 5})));
}

TEST(structs_without_equal_cannot_be_compared)
{
	leat_panic_info info;
	bool same = false;

	left = right = any_of_type(point, {1, 2});
	CHECK(test_panics(compare, &same, "runtime error: comparing uncomparable type point"));
	CHECK(leat_catch(compare, &same, &info) && info.runtime);
	/* As in Go where the types differ nothing is compared. */
	right = any_of_type(complex_number, {1, 2});
	compare(&same);
	CHECK(!same);
}

TEST_MAIN
