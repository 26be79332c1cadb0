/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced notsan */
/*
 * Goal: which tokens leat_limiter gives at which instant, to the nanosecond; what a cancelled promise gives
 * back; and that time which goes back fills nothing.
 *
 * Method: a policy whose time passes when the test says so.
 */
#include "sched/policy.h"

#include "test.h"

#define MS LEAT_MILLISECOND

static int64_t virtual = LEAT_SECOND;

static uint32_t choose(enum leat__choice what, uint32_t n)
{
	(void)what;
	(void)n;
	return 0;
}

static int64_t now(void)
{
	return virtual;
}

static const struct leat__policy policy = {.choose = choose, .now = now};

/* Before anything has seen the machine's own clock. */
__attribute__((constructor)) static void begin(void)
{
	leat__policy = &policy;
}

static bool near(double a, double b)
{
	return a - b < 1e-6 && b - a < 1e-6;
}

TEST(line_191_the_bucket_starts_full_and_fills_at_the_rate)
{
	leat_limiter l = LEAT_LIMITER(10, 3);

	for (int i = 0; i < 3; i++)
		CHECK(leat_limiter_allow(&l));
	CHECK(!leat_limiter_allow(&l));
	virtual += 99 * MS;
	CHECK(!leat_limiter_allow(&l));
	CHECK(near(leat_limiter_tokens(&l), 0.99));
	virtual += 1 * MS + 1;
	CHECK(leat_limiter_allow(&l));
	CHECK(!leat_limiter_allow(&l));
	virtual += LEAT_HOUR;
	CHECK(near(leat_limiter_tokens(&l), 3));
	CHECK(!leat_limiter_allow_n(&l, 4));
	CHECK(leat_limiter_allow_n(&l, 3));
	CHECK(!leat_limiter_allow(&l));
	CHECK(leat_limiter_allow_n(&l, 0));
}

TEST(line_191_a_burst_of_0_admits_none_unless_there_is_no_limit)
{
	leat_limiter none = LEAT_LIMITER(10, 0), zero = {0}, all, few;

	virtual += LEAT_HOUR;
	CHECK(!leat_limiter_allow(&none));
	CHECK(!leat_limiter_allow(&zero));
	CHECK(!leat_limiter_reserve_n(&none, 1).ok);
	CHECK_EQ(leat_limiter_wait(&none), -E2BIG);
	leat_limiter_init(&all, LEAT_LIMITER_INF, 0);
	for (int i = 0; i < 1000; i++)
		CHECK(leat_limiter_allow_n(&all, INT64_MAX));
	CHECK_EQ(leat_limiter_wait_n(&all, 1000), 0);
	leat_limiter_init(&few, 0, 2); /* what it has at first, and no more */
	CHECK(leat_limiter_allow_n(&few, 2));
	virtual += LEAT_HOUR;
	CHECK(!leat_limiter_allow(&few));
	leat_limiter_init(&few, LEAT_LIMITER_EVERY(250 * MS), 1);
	CHECK(near(leat_limiter_rate(&few), 4));
}

TEST(reservations_have_turns_one_after_the_other)
{
	leat_limiter l = LEAT_LIMITER(10, 2);
	leat_reservation r = leat_limiter_reserve_n(&l, 2);

	CHECK(r.ok);
	CHECK_EQ(r.act_at_ns, virtual);
	CHECK_EQ(leat_reservation_delay(&r), 0);
	r = leat_limiter_reserve_n(&l, 1);
	CHECK_EQ(leat_reservation_delay(&r), 100 * MS);
	r = leat_limiter_reserve_n(&l, 2);
	CHECK_EQ(leat_reservation_delay(&r), 300 * MS);
	virtual += 50 * MS;
	CHECK_EQ(leat_reservation_delay(&r), 250 * MS);
	virtual += LEAT_SECOND;
	CHECK_EQ(leat_reservation_delay(&r), 0);
	r = leat_limiter_reserve_n(&l, 3);
	CHECK(!r.ok);
	CHECK_EQ(leat_reservation_delay(&r), LEAT_FOREVER);
	CHECK(near(leat_limiter_tokens(&l), 2));
	leat_limiter_set_rate(&l, 0);
	CHECK(leat_limiter_allow_n(&l, 2));
	r = leat_limiter_reserve_n(&l, 1);
	CHECK(r.ok);
	CHECK_EQ(leat_reservation_delay(&r), LEAT_FOREVER);
	leat_reservation_cancel(&r);
	CHECK(near(leat_limiter_tokens(&l), 0));
}

/* --- cancelling */

TEST(line_193_a_cancel_restores_only_what_is_not_promised_to_later_ones)
{
	leat_limiter l = LEAT_LIMITER(10, 2);
	leat_reservation r[4];

	r[0] = leat_limiter_reserve_n(&l, 2);
	r[1] = leat_limiter_reserve_n(&l, 2); /* in 200 ms */
	r[2] = leat_limiter_reserve_n(&l, 2); /* in 400 ms */
	CHECK(near(leat_limiter_tokens(&l), -4));
	leat_reservation_cancel(&r[1]); /* r[2] has these */
	CHECK(near(leat_limiter_tokens(&l), -4));
	leat_reservation_cancel(&r[2]);
	CHECK(near(leat_limiter_tokens(&l), -2));
	leat_reservation_cancel(&r[2]); /* the second time */
	CHECK(near(leat_limiter_tokens(&l), -2));
	r[3] = leat_limiter_reserve_n(&l, 1);
	CHECK_EQ(leat_reservation_delay(&r[3]), 300 * MS);
}

TEST(line_193_a_cancel_restores_a_part)
{
	leat_limiter l = LEAT_LIMITER(10, 3);
	leat_reservation r, later;

	CHECK(leat_limiter_allow_n(&l, 3));
	r = leat_limiter_reserve_n(&l, 3);     /* in 300 ms */
	later = leat_limiter_reserve_n(&l, 1); /* in 400 ms */
	virtual += 100 * MS;
	CHECK(near(leat_limiter_tokens(&l), -3));
	leat_reservation_cancel(&r);
	CHECK(near(leat_limiter_tokens(&l), -1));
	CHECK_EQ(leat_reservation_delay(&later), 300 * MS);
}

TEST(line_193_a_cancel_in_the_end_or_without_need_does_nothing)
{
	leat_limiter l = LEAT_LIMITER(10, 1);
	leat_reservation r = leat_limiter_reserve_n(&l, 1), no = {0};

	virtual += 1;
	leat_reservation_cancel(&r); /* it could have acted */
	CHECK(near(leat_limiter_tokens(&l), 1e-8));
	r = leat_limiter_reserve_n(&l, 2);
	leat_reservation_cancel(&r);
	leat_reservation_cancel(&no);
	CHECK(near(leat_limiter_tokens(&l), 1e-8));
	leat_limiter_set_rate(&l, LEAT_LIMITER_INF);
	r = leat_limiter_reserve_n(&l, 100);
	leat_limiter_set_rate(&l, 10);
	CHECK(leat_limiter_allow(&l));
	leat_reservation_cancel(&r); /* it took nothing */
	CHECK(near(leat_limiter_tokens(&l), 0));
}

/* In whatever order: what was taken by those that are not cancelled is all that is missing. */
TEST(line_193_cancelled_in_the_reverse_order_all_comes_back)
{
	enum { N = 20 };
	leat_limiter l = LEAT_LIMITER(100, 5);
	leat_reservation r[N];

	CHECK(leat_limiter_allow_n(&l, 5));
	for (int i = 0; i < N; i++)
		r[i] = leat_limiter_reserve_n(&l, 1 + i % 5);
	for (int i = N; i-- > 0;)
		leat_reservation_cancel(&r[i]);
	CHECK(near(leat_limiter_tokens(&l), 0));
}

TEST(line_193_a_raised_rate_restores_no_more_than_was_taken)
{
	leat_limiter l = LEAT_LIMITER(1, 4);
	leat_reservation r;

	CHECK(leat_limiter_allow_n(&l, 4));
	r = leat_limiter_reserve_n(&l, 4); /* in 4 s */
	leat_limiter_set_rate(&l, 1000);
	CHECK(leat_limiter_reserve_n(&l, 1).ok); /* in 5 ms */
	leat_reservation_cancel(&r);
	CHECK(near(leat_limiter_tokens(&l), -1));
}

TEST(line_193_time_that_goes_back_adds_nothing)
{
	leat_limiter l = LEAT_LIMITER(10, 3);

	CHECK(leat_limiter_allow(&l));
	virtual -= 100 * MS;
	CHECK(leat_limiter_allow(&l));
	CHECK(leat_limiter_allow(&l));
	CHECK(!leat_limiter_allow(&l));
	virtual += 100 * MS; /* again */
	CHECK(!leat_limiter_allow(&l));
	virtual += 100 * MS + 1;
	CHECK(leat_limiter_allow(&l));
	CHECK(!leat_limiter_allow(&l));
}

/* --- changes */

TEST(a_new_rate_and_a_new_burst_count_from_now_on)
{
	leat_limiter l = LEAT_LIMITER(10, 10);

	CHECK(leat_limiter_allow_n(&l, 10));
	virtual += 100 * MS;
	leat_limiter_set_rate(&l, 100);
	CHECK(near(leat_limiter_tokens(&l), 1));
	virtual += 10 * MS;
	CHECK(near(leat_limiter_tokens(&l), 2));
	leat_limiter_set_burst(&l, 1);
	CHECK(near(leat_limiter_tokens(&l), 1));
	CHECK_EQ(leat_limiter_burst(&l), 1);
	leat_limiter_set_burst(&l, 20);
	CHECK(near(leat_limiter_tokens(&l), 1));
	virtual += LEAT_SECOND;
	CHECK(near(leat_limiter_tokens(&l), 20));
	CHECK(near(leat_limiter_rate(&l), 100));
}

/* --- waiting */

struct waiter {
	leat_limiter *l;
	int64_t n;
	leat_ctx *ctx;
	int64_t *at;
	int *result;
	chan(leat_empty) done; /* or NULL */
};

static void waiter(struct waiter *a)
{
	int result = leat_limiter_wait_n_ctx(a->l, a->n, a->ctx);

	*a->at = virtual;
	*a->result = result;
	if (a->done)
		chan_send(a->done, {});
}

TEST(line_192_who_waits_goes_on_at_his_turn)
{
	leat_limiter l = LEAT_LIMITER(10, 4);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int64_t start = virtual, at[3];
	const int due[3] = {10, 30, 60};
	int result[3] = {1, 1, 1};
	chan(leat_empty) done = chan_make(leat_empty, 3);

	CHECK(leat_limiter_allow_n(&l, 4));
	for (int i = 0; i < 3; i++) {
		go(waiter, &l, 1 + i, i == 1 ? ctx : NULL, &at[i], &result[i], done);
		test_parked(i + 1);
	}
	for (int i = 1; i <= 60; i++) {
		virtual += 10 * MS;
		leat_yield();
		for (int j = 0; j < 3; j++) {
			if (i ==
			    due[j]) /* parked: who has nothing to run looks for timers, who yields alone need not */
				chan_recv(done);
			CHECK_EQ(result[j], i >= due[j] ? 0 : 1);
		}
	}
	CHECK_EQ(at[0] - start, 100 * MS);
	CHECK_EQ(at[1] - start, 300 * MS);
	CHECK_EQ(at[2] - start, 600 * MS);
	test_goroutines(1);
	leat_ctx_free(ctx);
	chan_free(done);
}

TEST(line_192_a_cancel_while_waiting_returns_the_tokens)
{
	leat_limiter l = LEAT_LIMITER(10, 4);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int64_t at;
	int result = 1;

	CHECK(leat_limiter_allow_n(&l, 4));
	go(waiter, &l, 3, ctx, &at, &result, NULL);
	test_parked(1);
	CHECK(near(leat_limiter_tokens(&l), -3));
	virtual += 100 * MS;
	leat_ctx_cancel(ctx);
	test_until(result != 1);
	CHECK_EQ(result, -ECANCELED);
	CHECK(near(leat_limiter_tokens(&l), 1));
	test_goroutines(1);
	leat_ctx_free(ctx);
}

TEST(line_192_what_would_come_after_the_deadline_fails_at_once)
{
	leat_limiter l = LEAT_LIMITER(10, 4);
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 100 * MS);
	char text[100];

	CHECK(leat_limiter_allow_n(&l, 4));
	CHECK_EQ(leat_limiter_wait_n_ctx(&l, 2, ctx), -ETIME);
	CHECK(near(leat_limiter_tokens(&l), 0));
	CHECK_EQ(leat_limiter_wait_n_ctx(&l, 5, ctx), -E2BIG);
	CHECK(near(leat_limiter_tokens(&l), 0));

	CHECK_EQ(leat_limiter_strerror(&l, 2, -ETIME, text, sizeof text),
	         strlen("rate: Wait(n=2) would exceed context deadline"));
	CHECK_STR(text, "rate: Wait(n=2) would exceed context deadline");
	leat_limiter_strerror(&l, 5, -E2BIG, text, sizeof text);
	CHECK_STR(text, "rate: Wait(n=5) exceeds limiter's burst 4");
	leat_ctx_free(ctx);
}

TEST_MAIN
