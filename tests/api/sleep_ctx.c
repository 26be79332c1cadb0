/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_sleep_ctx sleeps its time, never less, unless its context is done, and leaves nothing behind.
 * Method: leat_now around it; sleepers of an hour that are observably parked before they are cancelled.
 * (That no timer is left behind tests/crash/sleep_ctx_leaves_no_timer.c shows, too.)
 */
#include "chan_help.h"

#include <errno.h>

TEST(line_151_never_early)
{
	static const int64_t times[] = {1, 1000, 200000, 3 * LEAT_MILLISECOND};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
		int64_t begin = leat_now();

		CHECK_EQ(leat_sleep_ctx(times[i], ctx), 0);
		CHECK(leat_now() - begin >= times[i]);
		begin = leat_now();
		CHECK_EQ(leat_sleep_ctx(times[i], (leat_ctx *)NULL), 0);
		CHECK(leat_now() - begin >= times[i]);
		CHECK_EQ(leat_sleep_ctx(times[i], leat_ctx_background()), 0);
	}
	leat_ctx_free(ctx);
}

TEST(no_time_only_asks)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	CHECK_EQ(leat_sleep_ctx(0, ctx), 0);
	CHECK_EQ(leat_sleep_ctx(-1, ctx), 0);
	CHECK_EQ(leat_sleep_ctx(INT64_MIN, ctx), 0);
	CHECK_EQ(leat_sleep_ctx(0, (leat_ctx *)NULL), 0);
	leat_ctx_cancel(ctx);
	CHECK_EQ(leat_sleep_ctx(0, ctx), -ECANCELED);
	CHECK_EQ(leat_sleep_ctx(-1, ctx), -ECANCELED);
	CHECK_EQ(leat_sleep_ctx(LEAT_HOUR, ctx), -ECANCELED);
	leat_ctx_free(ctx);
}

TEST(a_deadline_ends_it)
{
	int64_t begin = leat_now();
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 2 * LEAT_MILLISECOND);

	CHECK_EQ(leat_sleep_ctx(LEAT_HOUR, ctx), -ETIMEDOUT);
	CHECK(leat_now() - begin >= 2 * LEAT_MILLISECOND);
	leat_ctx_free(ctx);
}

struct sleeper {
	leat_ctx *ctx;
	int64_t time;
	atomic_int *canceled, *over;
};

static void sleep_long(void *p)
{
	const struct sleeper *s = p;

	if (leat_sleep_ctx(s->time, s->ctx) == -ECANCELED)
		atomic_fetch_add(s->canceled, 1);
	else
		atomic_fetch_add(s->over, 1);
}

static void cancel_sleepers(int n, int64_t time)
{
	atomic_int canceled = 0, over = 0;
	struct sleeper s = {leat_ctx_with_cancel(leat_ctx_background()), time, &canceled, &over};

	for (int i = 0; i < n; i++)
		start(i % 64 ? GOROUTINE : THREAD, sleep_long, &s);
	test_parked(n);
	leat_ctx_cancel(s.ctx);
	test_until(atomic_load(&canceled) == n);
	CHECK_EQ(atomic_load(&over), 0);
	leat_ctx_free(s.ctx);
}

TEST(a_cancel_wakes_all_sleepers)
{
	cancel_sleepers(1, LEAT_HOUR);
	cancel_sleepers(test_count(2000), LEAT_HOUR);
	cancel_sleepers(3, INT64_MAX); /* too long for the clock */
}

TEST(a_scope_is_a_context)
{
	scope(s, NULL);

	scope_cancel(s);
	CHECK_EQ(leat_sleep_ctx(LEAT_HOUR, s), -ECANCELED);
	CHECK_EQ(scope_wait(s), 0);
}

/* Cancelled sleeps of an hour leave nothing: their places are used again. */
TEST(it_leaves_no_memory)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	size_t before;

	leat_ctx_free(ctx);
	cancel_sleepers(8, LEAT_HOUR);
	before = test_heap_in_use();
	for (int i = 0; i < test_count(2000); i++) {
		ctx = leat_ctx_with_timeout(leat_ctx_background(), 1000);
		CHECK_EQ(leat_sleep_ctx(LEAT_HOUR, ctx), -ETIMEDOUT);
		leat_ctx_free(ctx);
	}
	CHECK(test_heap_in_use() < before + 64 * 1024);
}

/* The timer and the cancel at the same instant: one of the two answers. */
struct cancel_soon {
	leat_ctx *ctx;
	atomic_int *ended;
};

static void cancel_soon(struct cancel_soon *t)
{
	int64_t until = leat_now() + 20 * LEAT_MICROSECOND;

	while (leat_now() < until)
		leat_yield();
	leat_ctx_cancel(t->ctx);
	atomic_fetch_add(t->ended, 1);
}

TEST(timer_and_cancel_at_once)
{
	int n = test_count(20000), over = 0;
	atomic_int ended = 0;

	for (int i = 0; i < n; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		int64_t begin = leat_now(), time = 20 * LEAT_MICROSECOND + i % 16 * 1000;
		int err;

		go(cancel_soon, ctx, &ended);
		err = leat_sleep_ctx(time, ctx);
		CHECK(err == 0 || err == -ECANCELED);
		CHECK(err || leat_now() - begin >= time);
		over += err == 0;
		test_until(atomic_load(&ended) == i + 1);
		leat_ctx_free(ctx);
	}
	fprintf(stderr, "\t%d of %d slept their time\n", over, n);
}

TEST_MAIN
