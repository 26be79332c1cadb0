/* SPDX-License-Identifier: MIT */
/*
 * Goal: lines 183 and 184: the first error of a scope is kept and is its cause; a limit on the active
 * goroutines of a scope holds, whichever way they are started.
 * Method: goroutines that count how many are active at once, and that stay until they are let go.
 */
#include "test.h"

#include <errno.h>

struct counted {
	int *active, *most;
	chan(leat_empty) leave; /* NULL: at once */
};

static void counted(struct counted *a)
{
	int now = __atomic_add_fetch(a->active, 1, __ATOMIC_ACQ_REL);
	int most = __atomic_load_n(a->most, __ATOMIC_RELAXED);

	while (now > most && !__atomic_compare_exchange_n(a->most, &most, now, false, __ATOMIC_RELAXED,
	                                                  __ATOMIC_RELAXED))
		;
	if (a->leave)
		chan_recv(a->leave);
	else
		leat_yield();
	__atomic_sub_fetch(a->active, 1, __ATOMIC_ACQ_REL);
}

TEST(line_184_never_more_than_the_limit)
{
	for (int limit = 1; limit <= 4; limit++) {
		int active = 0, most = 0;
		scope(s, NULL);

		scope_limit(s, limit);
		for (int i = 0; i < test_count(20000); i++)
			scope_go(s, counted, &active, &most, NULL);
		CHECK_EQ(scope_wait(s), 0);
		CHECK(most >= 1 && most <= limit);
		CHECK_EQ(active, 0);
	}
}

TEST(line_184_the_limit_is_reached_and_go_waits_for_room)
{
	chan(leat_empty) leave = chan_make(leat_empty, 0);
	int active = 0, most = 0;

	{
		scope(s, NULL);

		scope_limit(s, 2);
		scope_go(s, counted, &active, &most, leave);
		CHECK(scope_try_go(s, counted, &active, &most, leave));
		CHECK(!scope_try_go(s, counted, &active, &most, leave));
		test_until(__atomic_load_n(&active, __ATOMIC_ACQUIRE) == 2);
		chan_send(leave, (leat_empty){});
		scope_go(s, counted, &active, &most, leave); /* parks until the other has ended */
		CHECK(!scope_try_go(s, counted, &active, &most, leave));
		chan_close(leave);
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(most, 2);
		CHECK(scope_try_go(s, counted, &active, &most, leave));
	}
	chan_free(leave);
}

TEST(line_184_a_limit_of_zero_admits_none_and_a_negative_one_any)
{
	int active = 0, most = 0;
	scope(s, NULL);

	scope_limit(s, 0);
	CHECK(!scope_try_go(s, counted, &active, &most, NULL));
	scope_limit(s, -1);
	for (int i = 0; i < 100; i++)
		CHECK(scope_try_go(s, counted, &active, &most, NULL));
	CHECK_EQ(scope_wait(s), 0);
}

static void change_limit(void *s)
{
	scope_limit((leat_scope *)s, 3);
}

TEST(line_184_a_change_with_active_goroutines_panics)
{
	chan(leat_empty) leave = chan_make(leat_empty, 0);
	int active = 0, most = 0;

	{
		scope(s, NULL);

		scope_go(s, counted, &active, &most, leave);
		scope_go(s, counted, &active, &most, leave);
		CHECK(
		    test_panics(change_limit, s,
		                "errgroup: modify limit while 2 goroutines in the group are still active"));
		chan_close(leave);
		CHECK_EQ(scope_wait(s), 0);
		scope_limit(s, 3);
	}
	chan_free(leave);
}

struct starter {
	leat_scope *s;
	leat_ctx *ctx;
	int *active, *most, *result;
};

static void starter(struct starter *a)
{
	struct counted args = {a->active, a->most, NULL};
	int err = leat_scope_go_ctx(a->s, (void (*)(void *))(void (*)(void))counted, &args, sizeof args,
	                            a->ctx);

	__atomic_store_n(a->result, err, __ATOMIC_RELEASE);
}

TEST(who_waits_for_room_leaves_with_its_context)
{
	chan(leat_empty) leave = chan_make(leat_empty, 0);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int active = 0, most = 0, results[2] = {1, 1};

	{
		scope(s, NULL);

		scope_limit(s, 1);
		scope_go(s, counted, &active, &most, leave);
		test_parked(1);
		go(starter, s, ctx, &active, &most, &results[0]);
		test_parked(2);
		go(starter, s, NULL, &active, &most, &results[1]);
		test_parked(3);
		leat_ctx_cancel(ctx);
		test_until(__atomic_load_n(&results[0], __ATOMIC_ACQUIRE) == -ECANCELED);
		test_parked(2);
		chan_close(leave);
		test_until(__atomic_load_n(&results[1], __ATOMIC_ACQUIRE) == 0);
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(most, 1);
		CHECK_EQ(leat_scope_go_ctx(s, (void (*)(void *))(void (*)(void))counted,
		                           &(struct counted){&active, &most, NULL}, sizeof(struct counted),
		                           ctx),
		         -ECANCELED);
	}
	leat_ctx_free(ctx);
	chan_free(leave);
}

struct failing {
	leat_scope *s;
	int err;
};

static void failing(struct failing *a)
{
	scope_fail(a->s, a->err);
}

TEST(line_183_the_first_error_is_returned_and_is_the_cause)
{
	scope(s, NULL);

	scope_go(s, failing, s, -EIO);
	CHECK_EQ(scope_wait(s), -EIO);
	scope_go(s, failing, s, -ENOSPC);
	CHECK_EQ(scope_wait(s), -EIO);
	CHECK_EQ(scope_err(s), -ECANCELED);
	CHECK(leat_ctx_cause(s) == leat_error_errno(-EIO));
	CHECK_STR(leat_error_message(leat_ctx_cause(s)), strerror(EIO));
}

TEST(line_183_a_wait_for_a_scope_may_be_ended)
{
	chan(leat_empty) leave = chan_make(leat_empty, 0);
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	int active = 0, most = 0;

	{
		scope(s, NULL);

		scope_go(s, counted, &active, &most, leave);
		CHECK_EQ(leat_scope_wait_ctx(s, ctx), -ETIMEDOUT);
		chan_close(leave);
		CHECK_EQ(leat_scope_wait_ctx(s, leat_ctx_todo()), 0);
		CHECK_EQ(leat_scope_wait_ctx(s, NULL), 0);
	}
	leat_ctx_free(ctx);
	chan_free(leave);
}

TEST_MAIN
