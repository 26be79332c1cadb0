/* SPDX-License-Identifier: MIT */
/*
 * Goal: coroutines yield, end and are stopped as leat/coro.h says.
 * Panics, misuse and plain threads are in coro_panic.c, parking and moving in coro_park.c, memory in
 * coro_memory.c.
 */
#include "log_help.h"

struct count {
	int from, to;
};

static void count(coro(int) c, struct count *a)
{
	defer(put, "d");
	for (int i = a->from; i < a->to; i++)
		coro_yield(c, i);
	put("e");
}

/* --- values */

TEST(values_come_one_by_one_until_the_end)
{
	coro(int) c = coro_make(int, count, .from = 3, .to = 6);
	int v = -1;

	CHECK_LOG("");
	for (int i = 3; i < 6; i++) {
		CHECK(coro_next(c, &v));
		CHECK_EQ(v, i);
		CHECK(!coro_ended(c));
	}
	CHECK_LOG("");
	CHECK(!coro_next(c, &v));
	CHECK_LOG("ed");
	CHECK_EQ(v, 5);
	CHECK(coro_ended(c));
	/* The end stays. */
	CHECK(!coro_next(c, &v));
	CHECK(!coro_next(c, NULL));
	coro_free(c);
	coro_free((coro(int))NULL);
}

TEST(a_value_may_be_unwanted)
{
	coro(int) c = coro_make(int, count, .to = 3);
	int v;

	CHECK(coro_next(c, NULL));
	CHECK(coro_next(c, &v));
	CHECK_EQ(v, 1);
	coro_free(c);
	CHECK_LOG("d");
}

TEST(range_leaves_it_where_it_is)
{
	coro(int) c = coro_make(int, count, .to = 6);
	int sum = 0;

	coro_range(v, c) {
		if (v == 1)
			continue;
		sum += v;
		if (v == 2)
			break;
	}
	CHECK_EQ(sum, 2);
	CHECK_LOG("");
	coro_range(v, c)
		sum = sum * 10 + v;
	CHECK_EQ(sum, 2345);
	CHECK_LOG("ed");
	coro_range(v, c)
		CHECK(v < 0);
	coro_free(c);
}

static void tens(coro(int) c)
{
	for (int i = 10; i < 40; i += 10)
		coro_yield(c, i);
}

TEST(ranges_nest)
{
	int sum = 0;

	for (int turn = 0; turn < 2; turn++) {
		coro_own(a, int, count, .to = 3);

		coro_range(x, a) {
			coro(int) b = coro_make0(int, tens);

			coro_range(y, b)
				sum += x + y;
			coro_free(b);
		}
	}
	CHECK_EQ(sum, 2 * (3 * 60 + 3 * 3));
	CHECK_LOG("eded");
}

struct pair {
	long a;
	double b;
	char c[40];
};

static void pairs(coro(struct pair) c)
{
	for (int i = 0; i < 3; i++)
		coro_yield(c, (struct pair){.a = i, .b = i / 2., .c = "x"});
}

static void events(coro(leat_empty) c)
{
	coro_yield(c, (leat_empty){});
	coro_yield(c, (leat_empty){});
}

TEST(values_of_any_type)
{
	coro(struct pair) c = coro_make0(struct pair, pairs);
	coro(leat_empty) e = coro_make0(leat_empty, events);
	struct pair p = {0};
	leat_empty nothing;

	CHECK(coro_next(c, &p) && coro_next(c, &p));
	CHECK(p.a == 1 && p.b == .5 && p.c[0] == 'x' && p.c[39] == 0);
	coro_free(c);
	CHECK(coro_next(e, &nothing));
	CHECK(coro_next(e, NULL));
	CHECK(!coro_next(e, &nothing));
	coro_free(e);
}

/* Sums up what it is brought. */
struct summed {
	int *begun_with;
};

static void summed(coro(long, int) c, struct summed *a)
{
	long sum = 0;
	int n = 0;

	CHECK(coro_sent(c, a->begun_with));
	sum = *a->begun_with;
	for (;;) {
		coro_yield(c, sum);
		if (!coro_sent(c, &n))
			return;
		sum += n;
	}
}

TEST(values_both_ways)
{
	int begun_with = 0;
	coro(long, int) c = coro_make2(long, int, summed, .begun_with = &begun_with);
	long sum;

	for (int i = 1; i <= 100; i++)
		CHECK(coro_send(c, &i, &sum));
	CHECK_EQ(sum, 5050);
	CHECK_EQ(begun_with, 1);
	CHECK(!coro_next(c, &sum));
	coro_free(c);
}

struct large {
	char bytes[30000];
	_Alignas(16) long last;
};

static void large(coro(long) c, struct large *a)
{
	CHECK_EQ((uintptr_t)a % 16, 0);
	CHECK_EQ(a->bytes[29999], 7);
	a->last++;
	coro_yield(c, a->last);
	coro_yield(c, ++a->last);
}

TEST(arguments_are_copied)
{
	struct large a = {.last = 41};
	leat_coro *c;
	long v;

	a.bytes[29999] = 7;
	c = leat_coro_make(&(leat_coro_opts){.stack_bytes = 1 << 20}, sizeof v,
	                   (void (*)(leat_coro *, void *))(void (*)(void))large, &a, sizeof a);
	a.bytes[29999] = 8;
	CHECK(leat_coro_next(c, &v));
	CHECK_EQ(v, 42);
	CHECK(leat_coro_send(c, &v, NULL));
	CHECK(!leat_coro_next(c, &v));
	CHECK_EQ(a.last, 41);
	leat_coro_free(c);
}

/* --- depth */

struct tree {
	struct tree *left, *right;
	int value;
};

static struct tree *grow(int from, int to)
{
	struct tree *t;

	if (from >= to)
		return NULL;
	t = malloc(sizeof *t);
	t->value = (from + to) / 2;
	t->left = grow(from, t->value);
	t->right = grow(t->value + 1, to);
	return t;
}

static void fell(struct tree *t)
{
	if (!t)
		return;
	fell(t->left);
	fell(t->right);
	free(t);
}

static void visit(coro(int) c, const struct tree *t)
{
	if (!t)
		return;
	visit(c, t->left);
	coro_yield(c, t->value);
	visit(c, t->right);
}

struct walk {
	struct tree *tree;
};

static void walk(coro(int) c, struct walk *a)
{
	visit(c, a->tree);
}

TEST(yields_from_any_depth)
{
	struct tree *t = grow(0, 1000);
	int next = 0;
	coro_own(c, int, walk, .tree = t);

	coro_range(v, c)
		CHECK_EQ(v, next++);
	CHECK_EQ(next, 1000);
	fell(t);
}

/* A coroutine for each node: each value comes through as many as it is deep. */
struct climb {
	struct tree *tree;
};

static void climb(coro(int) c, struct climb *a)
{
	if (!a->tree)
		return;
	coro_own(left, int, climb, .tree = a->tree->left);
	coro_own(right, int, climb, .tree = a->tree->right);
	coro_range(v, left)
		coro_yield(c, v);
	coro_yield(c, a->tree->value);
	coro_range(v, right)
		coro_yield(c, v);
}

TEST(a_coroutine_resumes_others)
{
	struct tree *t = grow(0, 300);
	int next = 0;
	uint64_t id = leat_goid();

	{
		coro_own(c, int, climb, .tree = t);

		coro_range(v, c) {
			CHECK_EQ(v, next++);
			CHECK_EQ(leat_goid(), id);
		}
		CHECK_EQ(next, 300);
	}
	/* Left early, with many of them under way. */
	{
		coro_own(c, int, climb, .tree = t);

		for (int i = 0; i < 150; i++)
			CHECK(coro_next(c, NULL));
	}
	fell(t);
}

struct chain {
	int left;
};

static void chain(coro(int) c, struct chain *a)
{
	int v = 0;

	if (a->left) {
		coro_own(inner, int, chain, .left = a->left - 1);

		while (coro_next(inner, &v))
			coro_yield(c, v + 1);
	} else {
		for (int i = 0; i < 3; i++)
			coro_yield(c, i);
	}
}

TEST(a_long_chain_of_them)
{
	coro_own(c, int, chain, .left = 500);
	int next = 500;

	coro_range(v, c)
		CHECK_EQ(v, next++);
	CHECK_EQ(next, 503);
}

/* --- early ends */

static void owner(coro(int) c)
{
	defer(put, "a");
	{
		leat_mutex m = {0};

		with_lock(&m);
		defer(put, "b");
		coro_yield(c, 1);
	}
	put("never");
}

TEST(stop_runs_what_was_deferred)
{
	coro(int) c = coro_make0(int, owner);

	CHECK(coro_next(c, NULL));
	coro_stop(c);
	CHECK_LOG("ba");
	CHECK(coro_ended(c));
	CHECK(!coro_next(c, NULL));
	coro_stop(c);
	coro_free(c);
	CHECK_LOG("");
}

TEST(free_of_one_that_never_began)
{
	coro(int) c = coro_make0(int, owner);

	coro_stop(c);
	CHECK(coro_ended(c) && !coro_next(c, NULL));
	coro_free(c);
	coro_free(coro_make0(int, owner));
	CHECK_LOG("");
}

static int returns_early(void)
{
	coro_own(c, int, count, .to = 5);

	coro_range(v, c)
		if (v == 2)
			return v;
	return -1;
}

static void panics_early(void *arg)
{
	coro_own(c, int, count, .to = 5);

	coro_range(v, c)
		if (v == 2)
			leat_panic("%s", (char *)arg);
}

static void endless(coro(int) c)
{
	defer(put, "0");
	for (int i = 0;; i++)
		coro_yield(c, i);
}

struct echo {
	int first;
};

static void echo(coro(int, int) c, struct echo *a)
{
	int got = a->first;

	defer(put, "2");
	for (;;) {
		coro_sent(c, &got);
		coro_yield(c, got);
	}
}

static int own_others(void)
{
	coro_own0(a, int, endless);
	coro_own2(b, int, int, echo, .first = 1);
	int turns = 0, v = 0, to = 7;

	/* The value is not looked at, and nothing warns of that. */
	coro_range(unused, a)
		if (++turns == 3)
			break;
	CHECK(coro_send(b, &to, &v));
	return turns * v;
}

TEST(own0_and_own2_free_too)
{
	CHECK_EQ(own_others(), 21);
	CHECK_LOG("20");
}

TEST(own_frees_on_every_way_out)
{
	CHECK_EQ(returns_early(), 2);
	CHECK_LOG("d");
	CHECK(test_panics(panics_early, "enough", "enough"));
	CHECK_LOG("d");
}

struct steps {
	int yields;
};

static void steps(coro(int) c, struct steps *a)
{
	defer(put, "z");
	for (int i = 0; i < a->yields; i++) {
		defer(put, "y");
		coro_yield(c, i);
	}
}

TEST(stop_at_every_yield)
{
	static const char *const want[] = {"", "yz", "yyz", "yyyz", "yyyz"};

	for (int at = 0; at <= 4; at++) {
		coro(int) c = coro_make(int, steps, .yields = 3);

		for (int i = 0; i < at; i++)
			CHECK(coro_next(c, NULL) == (i < 3));
		coro_free(c);
		CHECK_LOG(want[at]);
	}
}

TEST_MAIN
