/* SPDX-License-Identifier: MIT */
/*
 * Goal: a panic carries its value to who catches it, with the text that a report would have.
 * Method: values of each kind, printers that look around, fail and park.
 */
#include "test.h"

struct point {
	int x, y;
};

static void print_point(FILE *to, const void *value)
{
	const struct point *p = value;

	fprintf(to, "(%d, %d)", p->x, p->y);
}

LEAT_TYPE(point, struct point, .print = print_point);
LEAT_TYPE(meters, int);

static void panic_any(void *any)
{
	leat_panic_any(*(leat_any *)any);
}

static bool same(leat_any a, leat_any b)
{
	return a.leat__type == b.leat__type &&
	       memcmp(a.leat__value.leat__bytes, b.leat__value.leat__bytes,
	              sizeof a.leat__value.leat__bytes) == 0;
}

static void check(leat_any v, const char *message)
{
	leat_panic_info info;

	CHECK(leat_catch(panic_any, &v, &info));
	CHECK_STR(info.message, message);
	CHECK(!info.runtime);
	CHECK_EQ(info.goid, leat_goid());
	CHECK(same(info.value, v));
}

TEST(line_85_the_text_of_a_value_is_as_go_prints_it)
{
	struct point p;
	leat_any v = any_of_type(point, {3, -4});
	leat_panic_info info;

	check(any_of(42), "42");
	check(any_of((bool)true), "true");
	check(any_of(1.5), "+1.500000e+000");
	check(any_of("text"), "text");
	check(any_of_type(meters, 7), "meters(7)");
	check(v, "(3, -4)");
	CHECK(leat_catch(panic_any, &v, &info));
	CHECK(any_as(point, info.value, &p));
	CHECK(p.x == 3 && p.y == -4);
}

TEST(texts_are_cut_at_239_bytes)
{
	char longer[500];
	leat_panic_info info;
	leat_any v;

	memset(longer, 'm', sizeof longer - 1);
	longer[sizeof longer - 1] = 0;
	v = any_of((const char *)longer);
	CHECK(leat_catch(panic_any, &v, &info));
	CHECK_EQ(strlen(info.message), 239);
}

static void panic_without_format(void *format)
{
	leat_panic(format, 0);
}

TEST(line_84_nil_is_a_misuse)
{
	leat_any nil = {0};
	leat_panic_info info;

	CHECK(leat_catch(panic_any, &nil, &info));
	CHECK_STR(info.message, "panic called with nil argument (use GODEBUG=panicnil=1 to disable)");
	CHECK(info.runtime);
	CHECK(leat_any_is_nil(info.value));
	CHECK(test_panics(panic_without_format, NULL, info.message));
}

static void repanic(const leat_panic_info *info, void *arg)
{
	(void)arg;
	leat_repanic(info);
}

static void panic_again(void *any)
{
	leat_catch_with(panic_any, any, repanic, NULL);
}

TEST(line_83_a_value_is_kept_when_raised_again)
{
	leat_any v = any_of_type(point, {1, 2});
	leat_panic_info info;

	CHECK(leat_catch(panic_again, &v, &info));
	CHECK(same(info.value, v));
	CHECK_STR(info.message, "(1, 2)");
}

/* What the value leads to is read before it is freed. */
static void print_shared(FILE *to, const void *value)
{
	fputs(*(const char *const *)value, to);
}

LEAT_TYPE(shared, char *, .print = print_shared);

static void panic_with_freed(void *arg)
{
	char *s = strdup(arg);

	defer(free, s);
	leat_panic_any(any_of_type(shared, s));
}

TEST(line_87_the_printer_runs_before_what_was_deferred)
{
	CHECK(test_panics(panic_with_freed, "lives on the heap", "lives on the heap"));
}

static void print_badly(FILE *to, const void *value)
{
	fputs("half", to);
	leat_panic("no %d", *(const int *)value);
}

LEAT_TYPE(bad, int, .print = print_badly);

static void print_itself(FILE *to, const void *value);

LEAT_TYPE(loop, int, .print = print_itself);

static void print_itself(FILE *to, const void *value)
{
	(void)to;
	leat_panic_any(any_of_type(loop, *(const int *)value));
}

TEST(line_87_a_printer_that_panics_gives_a_text_that_says_so)
{
	check(any_of_type(bad, 5), "panic while printing panic value: no 5");
	check(any_of_type(loop, 5), "panic while printing panic value: type loop");
	check(any_of_type(point, {0, 1}), "(0, 1)");
}

static void print_parking(FILE *to, const void *value)
{
	for (int i = 0; i < 3; i++) {
		fprintf(to, "%d", *(const int *)value + i);
		leat_yield();
		leat_sleep(1000);
	}
}

LEAT_TYPE(slow, int, .print = print_parking);

struct in_goroutine {
	int i;
	leat_waitgroup *wg;
};

static void in_goroutine(struct in_goroutine *a)
{
	char want[64];

	snprintf(want, sizeof want, "%d%d%d", a->i, a->i + 1, a->i + 2);
	check(any_of_type(slow, a->i), want);
	leat_waitgroup_done(a->wg);
}

TEST(line_87_a_printer_may_park)
{
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 50);
	for (int i = 0; i < 50; i++)
		go(in_goroutine, i, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

struct small {
	leat_waitgroup *wg;
};

/* A printer is not called where there is no room for it; numbers are printed all the same.  Sanitized programs
   have no small stacks. */
static void small(struct small *a)
{
	static leat_panic_info info[2];
	leat_any v = any_of_type(point, {1, 2}), n = any_of(42);

	CHECK(leat_catch(panic_any, &v, &info[0]));
#ifdef TEST_SANITIZED
	CHECK_STR(info[0].message, "(1, 2)");
#else
	CHECK_STR(info[0].message, "type point");
#endif
	CHECK(leat_catch(panic_any, &n, &info[1]));
	CHECK_STR(info[1].message, "42");
	leat_waitgroup_done(a->wg);
}

TEST(on_a_packed_stack)
{
	leat_go_opts opts = {.stack_bytes = 4096};
	leat_waitgroup wg = {0};

	leat_waitgroup_add(&wg, 1);
	go_with(&opts, small, &wg);
	leat_waitgroup_wait(&wg);
	test_goroutines(1);
}

TEST_MAIN
