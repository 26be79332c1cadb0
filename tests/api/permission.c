/* SPDX-License-Identifier: MIT */
/*
 * Goal: what leat/duplicates.h promises of permissions, and that a request whose worker was cancelled and replaced has
 * one result.
 * Method: the parent answers while a watchdog cancels the worker and begins another attempt; as often as the list of
 * patterns asks for.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

struct asker {
	leat_permission *p;
	leat_ctx *ctx;
	uint64_t attempt;
	send_chan(uint64_t) out;
	atomic_int *result;
};

static void asker(struct asker *a)
{
	int err = leat_permission_ask(a->p, a->attempt, a->ctx);

	if (err == 0)
		chan_send(a->out, a->attempt);
	if (a->result)
		atomic_store(a->result, err);
}

/* --- the trials */

struct watchdog {
	leat_permission *p;
	leat_scope *s;
	leat_ctx *ctx;
	send_chan(uint64_t) out;
	int spin;
	atomic_int *restarts;
};

static void watchdog(struct watchdog *a)
{
	uint64_t attempt;

	for (volatile int i = 0; i < a->spin; i++)
		;
	leat_ctx_cancel(a->ctx);
	attempt = leat_permission_attempt(a->p);
	if (attempt) {
		atomic_fetch_add(a->restarts, 1);
		scope_go(a->s, asker, a->p, NULL, attempt, a->out, NULL);
	}
}

TEST(pattern_17_by_permission_each_request_has_one_result)
{
	int trials = test_count(1000000);
	atomic_int restarts = 0;

	for (int i = 0; i < trials; i++) {
		leat_permission *p = leat_permission_make();
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		chan(uint64_t) out = chan_make(uint64_t, 2);
		uint64_t permitted;

		{
			scope(s, NULL);

			scope_go(s, asker, p, ctx, leat_permission_attempt(p), chan_sender(out), NULL);
			if (i % 2)
				leat_yield();
			scope_go(s, watchdog, p, s, ctx, chan_sender(out), i % 61, &restarts);
			do
				permitted = chan_recv(leat_permission_asks(p));
			while (!leat_permission_answer(p, permitted, true));
		}
		CHECK_EQ(chan_len(out), 1);
		CHECK_EQ(chan_recv(out), permitted);
		leat_permission_free(p);
		leat_ctx_free(ctx);
		chan_free(out);
	}
	CHECK(trials < 1000 || (restarts > 0 && restarts < trials));
	test_goroutines(1);
}

struct parent {
	leat_permission *p;
};

static void parent(struct parent *a)
{
	leat_permission_end(a->p);
}

TEST(pattern_17_nobody_waits_for_a_parent_that_is_gone)
{
	int trials = test_count(100000);

	for (int i = 0; i < trials; i++) {
		leat_permission *p = leat_permission_make();
		chan(uint64_t) out = chan_make(uint64_t, 2);
		atomic_int result[2] = {1, 1};

		{
			scope(s, NULL);

			for (int k = 0; k < 2; k++)
				scope_go(s, asker, p, NULL, leat_permission_attempt(p), chan_sender(out),
				         &result[k]);
			if (i % 2)
				leat_yield();
			scope_go(s, parent, p);
			scope_wait(s);
		}
		CHECK_EQ(chan_len(out), 0);
		CHECK_EQ(result[0], -ESTALE);
		CHECK_EQ(result[1], -EPIPE);
		CHECK_EQ(leat_permission_attempt(p), 0);
		leat_permission_free(p);
		chan_free(out);
	}
	test_goroutines(1);
}

/* --- one by one */

/* One that asks, and is parked. */
static void ask(leat_permission *p, leat_ctx *ctx, uint64_t attempt, atomic_int *result)
{
	static chan(uint64_t) out;

	if (!out)
		out = chan_make(uint64_t, 100);
	atomic_store(result, 1);
	go(asker, p, ctx, attempt, chan_sender(out), result);
	test_parked(1);
	CHECK_EQ(atomic_load(result), 1);
}

TEST(a_question_is_answered_once)
{
	leat_permission *p = leat_permission_make();
	uint64_t one = leat_permission_attempt(p);
	atomic_int result;

	CHECK_EQ(one, 1);
	ask(p, NULL, one, &result);
	CHECK(!leat_permission_answer(p, one + 1, true));
	CHECK_EQ(chan_recv(leat_permission_asks(p)), one);
	CHECK(leat_permission_answer(p, one, false));
	CHECK(!leat_permission_answer(p, one, true));
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), -EACCES);

	ask(p, NULL, one, &result);
	CHECK_EQ(chan_recv(leat_permission_asks(p)), one);
	CHECK(leat_permission_answer(p, one, true));
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), 0);
	CHECK(!leat_permission_answer(p, one, true));
	CHECK_EQ(leat_permission_ask(p, one, NULL), -EALREADY);
	CHECK_EQ(leat_permission_ask(p, 7, NULL), -ESTALE);
	CHECK_EQ(leat_permission_attempt(p), 0);
	leat_permission_end(p);
	leat_permission_end(p);
	CHECK_EQ(leat_permission_ask(p, one, NULL), -EALREADY);
	leat_permission_free(p);
	leat_permission_free(NULL);
}

TEST(another_attempt_supersedes_one_that_asks)
{
	leat_permission *p = leat_permission_make();
	uint64_t one, two;
	atomic_int result;

	CHECK_EQ(leat_permission_ask(p, 0, NULL), -ESTALE);
	one = leat_permission_attempt(p);
	ask(p, NULL, one, &result);
	two = leat_permission_attempt(p);
	CHECK(two > one);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), -ESTALE);
	CHECK_EQ(chan_len(leat_permission_asks(p)), 0);
	ask(p, NULL, two, &result);
	CHECK_EQ(leat_permission_ask(p, one, NULL), -ESTALE);
	leat_permission_end(p);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), -EPIPE);
	CHECK_EQ(leat_permission_ask(p, two, NULL), -EPIPE);
	CHECK(!leat_permission_answer(p, two, true));
	leat_permission_free(p);
}

TEST(a_context_withdraws_the_question)
{
	leat_permission *p = leat_permission_make();
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *late = leat_ctx_with_timeout(leat_ctx_background(), 5 * MS);
	uint64_t one = leat_permission_attempt(p);
	atomic_int result;

	ask(p, ctx, one, &result);
	CHECK_EQ(chan_len(leat_permission_asks(p)), 1);
	leat_ctx_cancel(ctx);
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), -ECANCELED);
	CHECK_EQ(chan_len(leat_permission_asks(p)), 0);
	CHECK(!leat_permission_answer(p, one, true));
	CHECK_EQ(leat_permission_ask(p, one, ctx), -ECANCELED);
	CHECK_EQ(leat_permission_ask(p, one, late), -ETIMEDOUT);
	ask(p, NULL, one, &result); /* it may ask again */
	CHECK(leat_permission_answer(p, one, true));
	test_goroutines(1);
	CHECK_EQ(atomic_load(&result), 0);
	leat_permission_free(p);
	leat_ctx_free(ctx);
	leat_ctx_free(late);
}

static void free_it(void *p)
{
	leat_permission_free(p);
}

TEST(misuse_panics)
{
	leat_permission *p = leat_permission_make();
	atomic_int result;

	ask(p, NULL, leat_permission_attempt(p), &result);
	CHECK(test_panics(free_it, p, "permission_free: goroutines are waiting"));
	leat_permission_end(p);
	test_goroutines(1);
	leat_permission_free(p);
}

TEST_MAIN
