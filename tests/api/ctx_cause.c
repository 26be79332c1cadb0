/* SPDX-License-Identifier: MIT */
/*
 * Goal: why a context is done: of all that end it the first one counts, on each way from the root.
 * Method: a table of trees of two, every pair of kinds, ended in both orders; then what is special.
 */
#include "ctx_help.h"

#include <stdatomic.h>

LEAT_ERROR(parent_reason, -EIO, "parent");
LEAT_ERROR(child_reason, -EPIPE, "child");
LEAT_ERROR(too_slow, -ETIME, "too slow");
LEAT_ERROR(second, -EDOM, "second");

/* How a context of the table is made, and ended. */
enum how {
	PLAIN,         /* with_cancel, cancelled without a cause */
	CAUSE,         /* with_cancel, cancelled with one */
	EXPIRES,       /* with_deadline, expires */
	EXPIRES_CAUSE, /* with_deadline_cause, expires */
	STOPPED_CAUSE, /* with_deadline_cause, cancelled without a cause before */
	BOTH_CAUSE,    /* with_deadline_cause, cancelled with another cause before */
	HOWS
};

static leat_ctx *make(enum how how, leat_any_ctx parent, int64_t at)
{
	switch (how) {
	case PLAIN:
	case CAUSE:
		return leat_ctx_with_cancel(parent);
	case EXPIRES:
		return leat_ctx_with_deadline(parent, at);
	default:
		return leat_ctx_with_deadline_cause(parent, at, &too_slow);
	}
}

static void end(enum how how, leat_ctx *ctx, const leat_error *cause)
{
	if (how == CAUSE || how == BOTH_CAUSE)
		leat_ctx_cancel_cause(ctx, cause);
	else if (how == PLAIN || how == STOPPED_CAUSE)
		leat_ctx_cancel(ctx);
	else
		chan_recv(leat_ctx_done(ctx));
}

static int err_of(enum how how)
{
	return how == EXPIRES || how == EXPIRES_CAUSE ? -ETIMEDOUT : -ECANCELED;
}

static const leat_error *cause_of(enum how how, const leat_error *given)
{
	switch (how) {
	case CAUSE:
	case BOTH_CAUSE:
		return given;
	case EXPIRES:
		return &leat_deadline_exceeded;
	case EXPIRES_CAUSE:
		return &too_slow;
	default:
		return &leat_canceled;
	}
}

static bool expires(enum how how)
{
	return how == EXPIRES || how == EXPIRES_CAUSE;
}

static void check(leat_ctx *ctx, int err, const leat_error *cause)
{
	CHECK_EQ(leat_ctx_err(ctx), err);
	CHECK(leat_ctx_cause(ctx) == cause);
	CHECK(is_done(ctx) == (err != 0));
}

static int64_t soon(enum how how)
{
	return expires(how) ? leat_now() + LEAT_MILLISECOND : leat_now() + LEAT_HOUR;
}

TEST(line_132_line_133_the_child_first_then_the_parent)
{
	for (int i = 0; i < HOWS * HOWS; i++) {
		enum how p = (enum how)(i / HOWS), c = (enum how)(i % HOWS);
		leat_ctx *parent = make(p, leat_ctx_background(), leat_now() + LEAT_HOUR);
		leat_ctx *child = make(c, parent, soon(c)), *late;

		if (expires(p)) /* it would have to be waited for, and is shown below */
			p = PLAIN;
		if (!expires(c))
			check(child, 0, NULL);
		end(c, child, &child_reason);
		check(child, err_of(c), cause_of(c, &child_reason));
		check(parent, 0, NULL);
		end(p, parent, &parent_reason);
		check(child, err_of(c), cause_of(c, &child_reason));
		check(parent, err_of(p), cause_of(p, &parent_reason));
		late = make(p, child, leat_now() + LEAT_HOUR);
		check(late, err_of(c), cause_of(c, &child_reason));
		leat_ctx_free(late);
		leat_ctx_free(child);
		leat_ctx_free(parent);
	}
}

TEST(line_132_line_133_the_parent_first_then_the_child)
{
	for (int i = 0; i < HOWS * HOWS; i++) {
		enum how p = (enum how)(i / HOWS), c = (enum how)(i % HOWS);
		leat_ctx *parent = make(p, leat_ctx_background(), soon(p));
		leat_ctx *child = make(c, parent, leat_now() + LEAT_HOUR);
		leat_ctx *below = make(PLAIN, child, 0);

		end(p, parent, &parent_reason);
		check(parent, err_of(p), cause_of(p, &parent_reason));
		if (expires(p)) /* whoever fires its timer comes to those below a little later */
			chan_recv(leat_ctx_done(below));
		check(child, err_of(p), cause_of(p, &parent_reason));
		leat_ctx_cancel_cause(child, &child_reason);
		leat_ctx_cancel_cause(parent, &second);
		check(child, err_of(p), cause_of(p, &parent_reason));
		check(below, err_of(p), cause_of(p, &parent_reason));
		leat_ctx_free(below);
		leat_ctx_free(child);
		leat_ctx_free(parent);
	}
}

TEST(line_132_no_cause_is_that_it_was_cancelled)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	leat_ctx_cancel_cause(ctx, NULL);
	check(ctx, -ECANCELED, &leat_canceled);
	leat_ctx_free(ctx);
}

/* The cause says nothing about the error: that is a deadline's, or a cancel's. */
TEST(line_132_the_error_stays_what_it_is_whatever_the_cause)
{
	leat_ctx *a = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *b = leat_ctx_with_timeout_cause(leat_ctx_background(), 0, &leat_canceled);

	leat_ctx_cancel_cause(a, &leat_deadline_exceeded);
	check(a, -ECANCELED, &leat_deadline_exceeded);
	CHECK(leat_ctx_error(a) == &leat_canceled);
	check(b, -ETIMEDOUT, &leat_canceled);
	CHECK(leat_ctx_error(b) == &leat_deadline_exceeded);
	leat_ctx_free(a);
	leat_ctx_free(b);
}

/* A deadline that the parent's makes void brings no cause either. */
TEST(line_133_the_deadline_that_comes_first_brings_the_cause)
{
	int64_t before = 100 * LEAT_MILLISECOND, at = leat_now() + 2 * before;
	leat_ctx *parent = leat_ctx_with_deadline_cause(leat_ctx_background(), at, &parent_reason);
	leat_ctx *later = leat_ctx_with_deadline_cause(parent, at + 1, &child_reason);
	leat_ctx *sooner = leat_ctx_with_deadline_cause(parent, at - before, &too_slow);
	leat_ctx *past = leat_ctx_with_timeout_cause(parent, -5, &second);

	check(past, -ETIMEDOUT, &second);
	chan_recv(leat_ctx_done(sooner));
	CHECK(leat_now() >= at - before);
	check(sooner, -ETIMEDOUT, &too_slow);
	chan_recv(leat_ctx_done(later));
	CHECK(leat_now() >= at);
	check(later, -ETIMEDOUT, &parent_reason);
	check(parent, -ETIMEDOUT, &parent_reason);
	leat_ctx_free(past);
	leat_ctx_free(sooner);
	leat_ctx_free(later);
	leat_ctx_free(parent);
}

/* Values, customs and scopes on the way pass the cause on; who is shielded has its own. */
TEST(line_132_through_all_kinds)
{
	static const leat_ctx_ops wrapper = {.name = "wrapper"};
	static const leat_ctx_key key = {"k"};
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *value = leat_ctx_with_value(top, &key, NULL);
	leat_ctx *custom = leat_ctx_custom(value, &wrapper, NULL);
	leat_ctx *leaf = leat_ctx_with_timeout_cause(custom, LEAT_HOUR, &too_slow);
	leat_ctx *shielded = leat_ctx_without_cancel(leaf);
	leat_ctx *own = leat_ctx_with_cancel(shielded);

	{
		scope(s, leaf);
		leat_ctx *in_scope = leat_ctx_with_cancel(s);

		leat_ctx_cancel_cause(top, &parent_reason);
		CHECK(leat_ctx_cause(s) == &parent_reason);
		CHECK(leat_ctx_cause(in_scope) == &parent_reason);
	}
	check(value, -ECANCELED, &parent_reason);
	check(custom, -ECANCELED, &parent_reason);
	check(leaf, -ECANCELED, &parent_reason);
	check(shielded, 0, NULL);
	check(own, 0, NULL);
	leat_ctx_cancel_cause(own, &child_reason);
	check(own, -ECANCELED, &child_reason);
	leat_ctx_free(own);
	leat_ctx_free(shielded);
	leat_ctx_free(leaf);
	leat_ctx_free(custom);
	leat_ctx_free(value);
	leat_ctx_free(top);
}

struct racer {
	leat_ctx *ctx;
	const leat_error *cause;
	const leat_error **seen;
	leat_waitgroup *start, *done;
};

static void racer(struct racer *a)
{
	leat_waitgroup_wait(a->start);
	leat_ctx_cancel_cause(a->ctx, a->cause);
	*a->seen = leat_ctx_cause(a->ctx);
	leat_waitgroup_done(a->done);
}

/* Of causes given at the same time all see the same one, and what is below may have another, but only one. */
TEST(line_132_one_cause_wins_a_race)
{
	int rounds = test_count(5000);

	for (int round = 0; round < rounds; round++) {
		leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
		leat_ctx *child = leat_ctx_with_cancel(parent);
		const leat_error *seen[4], *at_child;
		leat_waitgroup start = {0}, done = {0};

		leat_waitgroup_add(&start, 1);
		leat_waitgroup_add(&done, 4);
		go(racer, parent, &parent_reason, &seen[0], &start, &done);
		go(racer, parent, &second, &seen[1], &start, &done);
		go(racer, child, &child_reason, &seen[2], &start, &done);
		go(racer, child, &too_slow, &seen[3], &start, &done);
		leat_waitgroup_done(&start);
		leat_waitgroup_wait(&done);
		at_child = leat_ctx_cause(child);
		CHECK(seen[0] == seen[1] && seen[0] == leat_ctx_cause(parent));
		CHECK(seen[0] == &parent_reason || seen[0] == &second);
		CHECK(seen[2] == at_child && seen[3] == at_child);
		CHECK(at_child == &child_reason || at_child == &too_slow || at_child == seen[0]);
		leat_ctx_free(child);
		leat_ctx_free(parent);
	}
	test_goroutines(1);
}

TEST_MAIN
