/* SPDX-License-Identifier: MIT */
/*
 * Goal: trees of contexts of any size: nothing recurses, a parent forgets a child that ends, and each kind of
 * parent passes on what it has.
 */
#include "ctx_help.h"

#include <stdatomic.h>

LEAT_ERROR(reason, -EIO, "reason");

static LEAT_CTX_KEY(number, int);

enum { DEEP = 100000 };

struct deep {
	int levels;
	atomic_bool *done;
};

/* A deadline costs a step per level, so there are some only. */
static leat_ctx *make_level(leat_ctx *parent, int i)
{
	return i % 1000 ? leat_ctx_with_cancel(parent) : leat_ctx_with_timeout(parent, LEAT_HOUR - i);
}

/* On a stack that holds no frame per level. */
static void deep(struct deep *a)
{
	int n = a->levels, one = 1;
	leat_ctx **levels = malloc((size_t)n * sizeof(leat_ctx *));
	char text[64];
	size_t length;

	CHECK(levels != NULL);
	levels[0] = LEAT_CTX_WITH_VALUE(leat_ctx_background(), number, &one);
	for (int i = 1; i < n; i++) {
		switch (i % 4) {
		case 0:
			levels[i] = make_level(levels[i - 1], i);
			break;
		case 1:
			levels[i] = leat_ctx_with_cancel(levels[i - 1]);
			break;
		case 2:
			levels[i] = leat_ctx_with_cancel(levels[i - 1]);
			break;
		default:
			levels[i] = LEAT_CTX_WITH_VALUE(levels[i - 1], number, &n);
			break;
		}
	}
	CHECK(ctx_value(levels[n - 1], number) == &n);
	CHECK(ctx_value(levels[2], number) == &one);
	length = leat_ctx_string(levels[n - 1], text, sizeof text);
	CHECK(length > (size_t)n * 11);
	CHECK_EQ(strlen(text), sizeof text - 1);
	CHECK(strncmp(text, "context.Background.WithValue(number).WithCancel.WithCancel", 58) == 0);
	leat_ctx_cancel_cause(levels[n / 2 / 4 * 4], &reason);
	for (int i = 0; i < n; i++)
		CHECK_EQ(leat_ctx_err(levels[i]), i < n / 2 / 4 * 4 ? 0 : -ECANCELED);
	CHECK(leat_ctx_cause(levels[n - 1]) == &reason);
	leat_ctx_cancel(levels[1]);
	CHECK(leat_ctx_cause(levels[2]) == &leat_canceled);
	CHECK(leat_ctx_cause(levels[n - 1]) == &reason);
	for (int i = n; i-- > 0;)
		leat_ctx_free(levels[i]);
	free(levels);
	atomic_store(a->done, true);
}

TEST(line_125_a_depth_of_100000_needs_no_stack)
{
	atomic_bool done = false;

	go_with(&((leat_go_opts){.stack_bytes = 16 << 10}), deep, DEEP, &done);
	test_until(atomic_load(&done));
	test_goroutines(1);
}

TEST(line_125_cancelling_reaches_10000_children_before_it_returns)
{
	leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx **children = malloc(10000 * sizeof(leat_ctx *));

	CHECK(children != NULL);
	for (int i = 0; i < 10000; i++) {
		children[i] = leat_ctx_with_cancel(parent);
		if (i % 2)
			leat_ctx_done(children[i]);
	}
	leat_ctx_cancel_cause(parent, &reason);
	for (int i = 0; i < 10000; i++) {
		CHECK(is_done(children[i]));
		CHECK(leat_ctx_cause(children[i]) == &reason);
	}
	for (int i = 0; i < 10000; i++) /* in the order in which they came */
		leat_ctx_free(children[i]);
	leat_ctx_free(parent);
	free(children);
}

struct second {
	leat_ctx *parent, *last;
	atomic_bool *ready;
	leat_waitgroup *done;
};

static void second(struct second *a)
{
	atomic_store(a->ready, true);
	while (!leat_ctx_err(a->parent))
		;
	leat_ctx_cancel(a->parent);
	CHECK_EQ(leat_ctx_err(a->last), -ECANCELED); /* before a look at done, which would wait */
	leat_waitgroup_done(a->done);
}

/* Who cancels while another still does returns when all below is done, too. */
TEST(line_125_line_127_the_second_cancel_reaches_all_before_it_returns)
{
	static leat_ctx *children[10000];

	for (int round = 0; round < 5; round++) {
		leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
		leat_waitgroup done = {0};
		atomic_bool ready = false;

		for (int i = 0; i < 10000; i++)
			children[i] = leat_ctx_with_cancel(parent);
		leat_waitgroup_add(&done, 1);
		go(second, parent, children[0], &ready, &done);
		test_until(atomic_load(&ready));
		leat_ctx_cancel(parent);
		leat_waitgroup_wait(&done);
		for (int i = 0; i < 10000; i++)
			leat_ctx_free(children[i]);
		leat_ctx_free(parent);
	}
}

/* A parent that lives for long grows by nobody who has come and gone, cancelled or expired. */
TEST(line_128_a_parent_forgets_its_children)
{
	leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
	int n = test_count(200000);
	size_t before = 0;

	for (int i = 0; i < n; i++) {
		leat_ctx *a = leat_ctx_with_cancel(parent), *b, *c;

		b = i % 2 ? leat_ctx_with_timeout(a, LEAT_HOUR) : leat_ctx_with_timeout(a, 0);
		c = leat_ctx_with_cancel(parent);
		leat_ctx_done(b);
		if (i % 3)
			leat_ctx_cancel(i % 3 == 1 ? a : c);
		leat_ctx_free(b);
		leat_ctx_free(a);
		leat_ctx_free(c);
		if (i == n / 2)
			before = test_heap_in_use();
	}
	CHECK(heap_is_back(before));
	leat_ctx_cancel(parent);
	leat_ctx_free(parent);
}

/* A cancelled child is out of the parent's way: freed in any order, and before or after the parent's end. */
TEST(line_128_a_cancelled_child_may_still_be_asked)
{
	leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *child = leat_ctx_with_cancel(parent);
	leat_ctx *below = leat_ctx_with_cancel(child);
	leat_ctx *late;

	leat_ctx_cancel_cause(child, &reason);
	leat_ctx_cancel(parent);
	late = leat_ctx_with_cancel(child);
	CHECK(leat_ctx_cause(below) == &reason && leat_ctx_cause(child) == &reason);
	CHECK(leat_ctx_cause(late) == &reason);
	CHECK(leat_ctx_cause(parent) == &leat_canceled);
	CHECK(is_done(late) && is_done(below) && is_done(child) && is_done(parent));
	leat_ctx_free(late);
	leat_ctx_free(below);
	leat_ctx_free(child);
	leat_ctx_free(parent);
}

TEST(line_129_a_child_of_a_done_parent_is_done_at_once)
{
	leat_ctx *canceled = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *expired =
	    leat_ctx_with_timeout_cause(leat_ctx_background(), LEAT_HOUR, &leat_canceled);
	leat_ctx *children[8];
	int n = 0;

	leat_ctx_free(expired);
	expired = leat_ctx_with_timeout_cause(leat_ctx_background(), -1, &reason);
	leat_ctx_cancel_cause(canceled, &reason);
	for (int i = 0; i < 2; i++) {
		leat_ctx *parent = i ? expired : canceled;

		children[n++] = leat_ctx_with_cancel(parent);
		children[n++] = leat_ctx_with_timeout(parent, LEAT_HOUR);
		children[n++] = leat_ctx_with_timeout_cause(parent, 0, &leat_canceled);
		children[n++] = LEAT_CTX_WITH_VALUE(parent, number, NULL);
		for (int k = n - 4; k < n; k++) {
			CHECK_EQ(leat_ctx_err(children[k]), i ? -ETIMEDOUT : -ECANCELED);
			CHECK(leat_ctx_cause(children[k]) == &reason);
			CHECK(is_done(children[k]));
		}
	}
	while (n > 0)
		leat_ctx_free(children[--n]);
	leat_ctx_free(canceled);
	leat_ctx_free(expired);
}

TEST(line_134_without_cancel_keeps_only_the_values)
{
	int n = 1;
	leat_ctx *top = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
	leat_ctx *value = LEAT_CTX_WITH_VALUE(top, number, &n);
	leat_ctx *free_of_it = leat_ctx_without_cancel(value);
	leat_ctx *below = leat_ctx_with_cancel(free_of_it);
	leat_ctx *again;

	leat_ctx_cancel_cause(top, &reason);
	again = leat_ctx_without_cancel(value); /* of one that is done already */
	for (int i = 0; i < 2; i++) {
		leat_ctx *ctx = i ? again : free_of_it;

		CHECK(is_endless(ctx));
		CHECK(!leat_ctx_deadline(ctx, NULL));
		CHECK(ctx_value(ctx, number) == &n);
	}
	CHECK(!is_done(below));
	CHECK(!leat_ctx_deadline(below, NULL));
	leat_ctx_cancel(below);
	CHECK(is_done(below));
	CHECK(leat_ctx_cause(below) == &leat_canceled);
	CHECK(is_endless(free_of_it));
	leat_ctx_free(again);
	leat_ctx_free(below);
	leat_ctx_free(free_of_it);
	leat_ctx_free(value);
	leat_ctx_free(top);
}

static const leat_ctx_ops mine = {.name = "mine"};

TEST(line_140_the_form_says_how_it_came_about)
{
	leat_ctx *all[8];
	char text[32] = "untouched";
	size_t whole;

	all[0] = leat_ctx_with_cancel(leat_ctx_background());
	CHECK_FORM(all[0], "context.Background.WithCancel");
	all[1] = LEAT_CTX_WITH_VALUE(all[0], number, NULL);
	CHECK_FORM(all[1], "context.Background.WithCancel.WithValue(number)");
	all[2] = leat_ctx_without_cancel(all[1]);
	CHECK_FORM(all[2], "context.Background.WithCancel.WithValue(number).WithoutCancel");
	all[3] = leat_ctx_custom(leat_ctx_todo(), &mine, NULL);
	CHECK_FORM(all[3], "context.TODO.mine");
	all[4] = leat_ctx_with_timeout(leat_ctx_todo(), LEAT_HOUR);
	CHECK(leat_ctx_string(all[4], text, sizeof text) > strlen("context.TODO.WithDeadline()"));
	CHECK(strncmp(text, "context.TODO.WithDeadline(", 26) == 0);
	for (size_t bytes = 0; bytes < sizeof text; bytes++) {
		memset(text, '!', sizeof text);
		whole = leat_ctx_string(all[0], text, bytes);
		CHECK_EQ(whole, strlen("context.Background.WithCancel"));
		CHECK_EQ(text[bytes], '!'); /* nothing behind its end */
		if (bytes > 0) {
			size_t length = bytes - 1 < whole ? bytes - 1 : whole;

			CHECK_EQ(text[length], 0);
			CHECK_EQ(strlen(text), length);
			CHECK(strncmp(text, "context.Background.WithCancel", length) == 0);
		}
	}
	CHECK_EQ(leat_ctx_string(all[0], NULL, 0), whole);
	for (int i = 5; i-- > 0;)
		leat_ctx_free(all[i]);
}

TEST_MAIN
