/* SPDX-License-Identifier: MIT */
/*
 * Goal: throttle, limit, sample, debounce and timeout let pass what they say, not before its time; and all stages of
 * leat/pipe_flow.h end as stages do.
 * Method: time is only ever asserted to have passed.  Where something must not happen by the clock the duration is an
 * hour.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

struct count_up {
	int next, end;
};

static bool count_up(int *out, struct count_up *a)
{
	*out = a->next++;
	return *out < a->end;
}

/* --- throttle */

TEST(throttle_keeps_all_and_the_rate)
{
	int64_t began = leat_now(), gap = 10 * LEAT_MILLISECOND;
	int got = 0;
	scope(s, NULL);

	chan_range(v,
	           pipe_throttle(s, pipe_from(s, int, count_up, .end = 12), 5, 50 * LEAT_MILLISECOND)) {
		CHECK_EQ(v, got);
		CHECK(leat_now() - began >= got * gap);
		got++;
	}
	CHECK_EQ(got, 12);
}

TEST(limit_allows_the_burst_and_is_shared)
{
	leat_limiter l = LEAT_LIMITER(LEAT_LIMITER_EVERY(LEAT_HOUR), 5);
	size_t n;
	scope(s, NULL);
	recv_chan(int) rest;

	pipe_collect(s, pipe_limit(s, pipe_from(s, int, count_up, .end = 3), &l), &n);
	CHECK_EQ(n, 3);
	rest = pipe_limit(s, pipe_from(s, int, count_up, .end = 4), &l);
	CHECK_EQ(chan_recv(rest), 0);
	CHECK_EQ(chan_recv(rest), 1);
	test_parked(2); /* the next turn is in an hour, and the source waits, too */
	leat_limiter_set_rate(&l, LEAT_LIMITER_INF);
	pipe_collect(s, pipe_limit(s, pipe_from(s, int, count_up, .end = 100), &l), &n);
	CHECK_EQ(n, 100);
}

TEST(limit_says_why_nothing_passes)
{
	leat_limiter none = LEAT_LIMITER(1, 0), slow = LEAT_LIMITER(LEAT_LIMITER_EVERY(LEAT_HOUR), 1);
	scope(s, NULL);
	recv_chan(int) c = pipe_limit(s, pipe_from(s, int, count_up, .end = 3), &none);

	CHECK(!chan_recv_ok(c, &(int){0}));
	CHECK_EQ(leat_error_code(chan_reason(c)), -E2BIG);
	scope_timeout(s, 30 * LEAT_MINUTE);
	c = pipe_limit(s, pipe_from(s, int, count_up, .end = 3), &slow);
	CHECK_EQ(chan_recv(c), 0);
	CHECK(!chan_recv_ok(c, &(int){0})); /* at once */
	CHECK_EQ(leat_error_code(chan_reason(c)), -ETIME);
	CHECK_EQ(scope_err(s), 0);
}

/* --- the latest of several */

TEST(sample_sends_the_first_at_once_and_then_the_latest)
{
	size_t n;
	int *got;
	scope(s, NULL);
	recv_chan(int) c = pipe_sample(s, pipe_from(s, int, count_up, .end = 100), LEAT_HOUR);

	CHECK_EQ(chan_recv(c), 0);
	got = pipe_collect(s, c, &n); /* the input has ended */
	CHECK_EQ(n, 1);
	CHECK_EQ(got[0], 99);
	CHECK_EQ(pipe_lost(s, c), 98);
	CHECK(!chan_reason(c));
}

TEST(sample_sends_one_in_each_interval)
{
	int count = 100, last = -1, got = 0;
	int64_t began = leat_now(), every = 5 * LEAT_MILLISECOND;
	scope(s, NULL);
	/* One a millisecond: some five of them to an interval. */
	recv_chan(int) all =
	    pipe_throttle(s, pipe_from(s, int, count_up, .end = count), 1, LEAT_MILLISECOND);
	recv_chan(int) c = pipe_sample(s, all, every);

	chan_range(v, c) {
		CHECK(v > last);
		/* The last one of all is not held back. */
		CHECK(v == count - 1 || leat_now() - began >= got * every);
		last = v;
		got++;
	}
	CHECK_EQ(last, count - 1);
	CHECK_EQ(got + (int)pipe_lost(s, c), count);
}

TEST(debounce_keeps_the_last_until_the_end)
{
	size_t n;
	int *got;
	scope(s, NULL);
	recv_chan(int) c = pipe_debounce(s, pipe_from(s, int, count_up, .end = 100), LEAT_HOUR);

	got = pipe_collect(s, c, &n);
	CHECK_EQ(n, 1);
	CHECK_EQ(got[0], 99);
	CHECK_EQ(pipe_lost(s, c), 99);
	c = pipe_debounce(s, pipe_from(s, int, count_up, .end = 0), LEAT_HOUR);
	pipe_collect(s, c, &n);
	CHECK_EQ(n, 0);
}

/* The input stays open.  Each value puts off what it replaces: so long after the last one, and not before. */
TEST(debounce_sends_after_the_quiet_time)
{
	int64_t quiet = 20 * LEAT_MILLISECOND;
	chan(int) in = chan_make(int, 0);

	for (int foreign = 0; foreign < 2; foreign++) {
		scope(s, NULL);
		recv_chan(int) mine = foreign ? chan_receiver(in) : pipe_buffer(s, in, 0, LEAT_PIPE_BLOCK);
		/* With room for all that it may send meanwhile: it must go on receiving. */
		recv_chan(int) c = pipe_debounce(pipe_at(s, .cap = 10), mine, quiet);
		int64_t sent[10];
		int v = -1, got = 0;

		for (int i = 0; i < 10; i++) {
			sent[i] = leat_now();
			chan_send(in, i);
			leat_sleep(LEAT_MILLISECOND);
		}
		while (v != 9) { /* a machine that stood still may have let others pass */
			v = chan_recv(c);
			CHECK(leat_now() - sent[v] >= quiet);
			got++;
		}
		CHECK_EQ(pipe_lost(s, c), 10 - got);
	}
	chan_free(in);
}

/* --- time-out */

TEST(silence_ends_the_stage)
{
	int64_t began = leat_now(), silence = 20 * LEAT_MILLISECOND;
	chan(int) in = chan_make(int, 2);

	for (int foreign = 0; foreign < 2; foreign++) {
		scope(s, NULL);
		recv_chan(int) c = pipe_timeout(
		    s, foreign ? chan_receiver(in) : pipe_buffer(s, in, 0, LEAT_PIPE_BLOCK), silence);

		while (chan_recv_ok(c, &(int){0}))
			;
		CHECK(leat_now() - began >= silence);
		CHECK(chan_reason(c) == leat_error_errno(-ETIMEDOUT));
		CHECK_EQ(scope_err(s), 0);
	}
	chan_free(in);
}

TEST(no_silence_no_timeout)
{
	size_t n;
	scope(s, NULL);
	recv_chan(int) c = pipe_timeout(s, pipe_from(s, int, count_up, .end = 1000), LEAT_HOUR);

	pipe_collect(s, c, &n);
	CHECK_EQ(n, 1000);
	CHECK(!chan_reason(c));
}

/* Who takes the values late is not the input's silence. */
TEST(a_slow_consumer_is_no_silence)
{
	int64_t silence = 5 * LEAT_MILLISECOND;
	chan(int) in = chan_make(int, 3);
	{
		scope(s, NULL);
		recv_chan(int) c;

		for (int i = 0; i < 3; i++)
			chan_send(in, i);
		chan_close(in);
		c = pipe_timeout(s, in, silence);
		for (int i = 0; i < 3; i++) {
			leat_sleep(3 * silence);
			CHECK_EQ(chan_recv(c), i);
		}
		CHECK(!chan_recv_ok(c, &(int){0}));
		CHECK(!chan_reason(c));
	}
	chan_free(in);
}

struct reading {
	int sensor;
	double value;
};

TEST(another_value_in_silence)
{
	chan(struct reading) in = chan_make(struct reading, 0);
	{
		scope(s, NULL);
		recv_chan(struct reading) c = pipe_timeout_or(s, in, LEAT_MILLISECOND, {-1, 0.5});
		struct reading r;

		for (int i = 0; i < 3; i++) {
			r = chan_recv(c);
			CHECK(r.sensor == -1 && r.value == 0.5);
		}
		for (bool sent = false; !sent;) /* it may wait to send once more */
			chan_select {
				case_send(in, ((struct reading){7, 2}))
					sent = true;
				case_recv(c, v)
					CHECK_EQ(v.sensor, -1);
			}
		while ((r = chan_recv(c)).sensor == -1)
			;
		CHECK(r.sensor == 7 && r.value == 2);
		chan_close(in);
		while (chan_recv_ok(c, &r))
			CHECK_EQ(r.sensor, -1);
		CHECK(!chan_reason(c));
	}
	chan_free(in);
}

/* --- how they end */

struct batch {
	size_t n;
	int items[3];
};

static void nothing(const int *in)
{
	(void)in;
}

static void to_any(const int *in, leat_any *out)
{
	*out = any_of(*in);
}

static leat_limiter no_limit = LEAT_LIMITER(LEAT_LIMITER_INF, 0);

enum { KINDS = 15, LOSSY = 5 }; /* the first ones may lose values */

static recv_chan(int) of_kind(leat_scope *s, int kind, recv_chan(int) in)
{
	switch (kind) {
	case 0:
		return pipe_buffer(s, in, 2, LEAT_PIPE_DROP_NEWEST);
	case 1:
		return pipe_buffer(s, in, 2, LEAT_PIPE_DROP_OLDEST);
	case 2:
		return pipe_buffer(s, in, 2, LEAT_PIPE_LATEST);
	case 3:
		return pipe_reject0(s, in, 2, nothing);
	case 4:
		return pipe_sample(s, in, 100 * LEAT_MICROSECOND);
	case 5:
		return pipe_buffer(s, in, 2, LEAT_PIPE_BLOCK);
	case 6:
		return pipe_unbatch(s, pipe_batch(s, in, struct batch, LEAT_HOUR));
	case 7:
		return pipe_unbatch(s, pipe_batch(s, in, struct batch, 0));
	case 8:
		return pipe_unbatch(s, pipe_batch(s, in, struct batch, LEAT_MICROSECOND));
	case 9:
		return pipe_throttle(s, in, 1000000000, LEAT_SECOND);
	case 10:
		return pipe_limit(s, in, &no_limit);
	case 11:
		return pipe_timeout(s, in, LEAT_HOUR);
	case 12:
		return pipe_timeout_or(s, in, LEAT_HOUR, 5);
	case 13:
		return pipe_cast(s, pipe_map0(s, in, leat_any, to_any), int);
	default:
		return pipe_cast_ok(s, pipe_map0(s, in, leat_any, to_any), int);
	}
}

TEST(every_stage_ends_with_its_input)
{
	for (int kind = 0; kind < KINDS; kind++) {
		size_t n, goroutines = leat_num_goroutine();
		{
			scope(s, NULL);
			recv_chan(int) c = of_kind(s, kind, pipe_from(s, int, count_up, .end = 100));
			int *got = pipe_collect(s, c, &n);

			CHECK(kind < LOSSY ? n <= 100 && n > 0 : n == 100);
			for (size_t i = 1; i < n; i++)
				CHECK(got[i] > got[i - 1]);
			CHECK(!chan_reason(c));
			CHECK_EQ(n + pipe_lost(s, c), 100);
			CHECK_EQ(scope_wait(s), 0);
			test_goroutines(goroutines);
		}
	}
}

TEST(a_reason_goes_through_every_stage)
{
	for (int kind = 0; kind < KINDS; kind++) {
		chan(int) in = chan_make(int, 5);
		size_t n;
		{
			scope(s, NULL);
			recv_chan(int) c = of_kind(s, kind, chan_receiver(in));

			chan_send(in, 1);
			chan_close_with(in, leat_error_errno(-EIO));
			pipe_collect(s, c, &n);
			CHECK_EQ(n, 1);
			CHECK(chan_reason(c) == leat_error_errno(-EIO));
			CHECK_EQ(scope_err(s), 0);
		}
		chan_free(in);
	}
}

static void one(int *out)
{
	*out = 1;
}

TEST(every_stage_is_left_by_its_consumer)
{
	for (int kind = 0; kind < KINDS; kind++)
		for (int k = 0; k < 4; k++) {
			size_t goroutines = leat_num_goroutine();
			{
				scope(s, NULL);
				recv_chan(int) c = of_kind(s, kind, pipe_repeat_fn0(s, int, one));

				for (int i = 0; i < k; i++)
					CHECK_EQ(chan_recv(c), 1);
			}
			test_goroutines(goroutines);
		}
}

static void cancelled(leat_scope *s, recv_chan(int) c, size_t before)
{
	leat_error *why = leat_errorf(NULL, "enough");

	leat_ctx_cancel_cause(s, why);
	while (chan_recv_ok(c, &(int){0})) /* what was buffered */
		;
	CHECK(chan_reason(c) == why);
	leat_error_free(why);
	scope_wait(s);
	test_goroutines(before);
}

TEST(cancelled_while_receiving)
{
	for (int kind = 0; kind < KINDS; kind++)
		for (int input = 0; input < 3; input++) {
			chan(int) never = chan_make(int, 0);
			size_t before = leat_num_goroutine();
			{
				scope(s, NULL);
				recv_chan(int) in = input == 0 ? NULL : chan_receiver(never);
				recv_chan(int) c;

				if (input == 2)
					in = pipe_buffer(s, in, 0, LEAT_PIPE_BLOCK);
				c = of_kind(s, kind, in);
				test_parked(leat_num_goroutine() - before);
				cancelled(s, c, before);
			}
			chan_free(never);
		}
}

/* With a value in hand: debounce, sample and batch wait for more. */
TEST(cancelled_while_holding_a_value)
{
	for (int kind = 0; kind < 3; kind++)
		for (int foreign = 0; foreign < 2; foreign++) {
			chan(int) in = chan_make(int, 0);
			size_t before = leat_num_goroutine();
			{
				scope(s, NULL);
				recv_chan(int) mine =
				    foreign ? chan_receiver(in) : pipe_buffer(s, in, 0, LEAT_PIPE_BLOCK);
				recv_chan(int) c =
				    kind == 0   ? pipe_debounce(s, mine, LEAT_HOUR)
				    : kind == 1 ? pipe_sample(s, mine, LEAT_HOUR)
				                : pipe_unbatch(s, pipe_batch(s, mine, struct batch, LEAT_HOUR));

				chan_send(in, 1);
				if (kind == 1) {
					CHECK_EQ(chan_recv(c), 1);
					chan_send(in, 2);
				}
				test_parked(leat_num_goroutine() - before);
				leat_ctx_cancel_cause(s, &leat_out_of_memory);
				CHECK(!chan_recv_ok(c, &(int){0}));
				CHECK(chan_reason(c) == &leat_out_of_memory);
			}
			test_goroutines(before);
			chan_free(in);
		}
}

TEST(cancelled_while_sending)
{
	for (int kind = 0; kind < KINDS; kind++) {
		size_t before = leat_num_goroutine();
		scope(s, NULL);
		recv_chan(int) c = of_kind(s, kind, pipe_repeat_fn0(s, int, one));

		CHECK_EQ(chan_recv(c), 1);
		if (kind >= LOSSY) /* the others never wait */
			test_parked(leat_num_goroutine() - before);
		cancelled(s, c, before);
	}
}

TEST(a_deadline_ends_every_stage)
{
	for (int kind = 0; kind < KINDS; kind++)
		for (int own = 0; own < 2; own++) {
			size_t before = leat_num_goroutine();
			{
				scope(s, NULL);
				recv_chan(int) c = of_kind(
				    s, kind, own ? pipe_buffer(s, (recv_chan(int))NULL, 0, LEAT_PIPE_BLOCK) : NULL);

				scope_timeout(s, LEAT_MILLISECOND);
				CHECK(!chan_recv_ok(c, &(int){0}));
				CHECK(chan_reason(c) == &leat_deadline_exceeded);
			}
			test_goroutines(before);
		}
}

TEST(throttle_does_not_wait_beyond_the_deadline)
{
	scope(s, NULL);
	recv_chan(int) c;

	scope_timeout(s, 30 * LEAT_MINUTE);
	c = pipe_throttle(s, pipe_from(s, int, count_up, .end = 3), 1, LEAT_HOUR);
	CHECK_EQ(chan_recv(c), 0);
	CHECK(!chan_recv_ok(c, &(int){0})); /* at once */
	CHECK_EQ(leat_error_code(chan_reason(c)), -ETIME);
}

TEST(a_stage_made_in_a_scope_that_is_done)
{
	for (int kind = 0; kind < KINDS; kind++) {
		size_t before = leat_num_goroutine();
		{
			scope(s, NULL);
			recv_chan(int) c;

			scope_cancel(s);
			c = of_kind(s, kind, NULL);
			CHECK(!chan_recv_ok(c, &(int){0}));
			CHECK(chan_reason(c) == &leat_canceled);
		}
		test_goroutines(before);
	}
}

/* --- misuse */

struct wrong {
	leat_scope *s;
	recv_chan(int) in, c;
	int64_t n, duration;
};

static void throttle(void *arg)
{
	struct wrong *a = arg;

	a->c = pipe_throttle(a->s, a->in, a->n, a->duration);
}

static void sample(void *arg)
{
	struct wrong *a = arg;

	a->c = pipe_sample(a->s, a->in, a->duration);
}

static void debounce(void *arg)
{
	struct wrong *a = arg;

	a->c = pipe_debounce(a->s, a->in, a->duration);
}

static void timeout(void *arg)
{
	struct wrong *a = arg;

	a->c = pipe_timeout(a->s, a->in, a->duration);
}

TEST(durations_and_rates_must_be_positive)
{
	scope(s, NULL);
	struct wrong a = {.s = s, .n = 1};

	for (int i = 0; i < 2; i++) {
		CHECK(test_panics(throttle, &a, "pipe: duration is not positive"));
		CHECK(test_panics(sample, &a, "pipe: duration is not positive"));
		CHECK(test_panics(debounce, &a, "pipe: duration is not positive"));
		CHECK(test_panics(timeout, &a, "pipe: duration is not positive"));
		a.duration = INT64_MIN;
	}
	a.duration = INT64_MAX;
	a.n = 0;
	CHECK(test_panics(throttle, &a, "pipe: rate is not positive"));
	a.n = INT64_MAX;
	throttle(&a);
	sample(&a);
	debounce(&a);
	timeout(&a);
	test_goroutines(1 + 4);
}

TEST_MAIN
