/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1 nofenced nomigrate notsan */
/*
 * Goal: which delays leat_backoff gives, and when leat_retry makes its attempts and when it gives up.
 *
 * Method: a policy whose time passes as soon as somebody looks, a millisecond each time, so that whoever sleeps is soon
 * awake.
 */
#include "sched/policy.h"

#include "test.h"

#include <stdatomic.h>

#define MS LEAT_MILLISECOND

static _Atomic int64_t virtual = LEAT_SECOND;
static int64_t step = MS;

static uint32_t choose(enum leat__choice what, uint32_t n)
{
	(void)what;
	(void)n;
	return 0;
}

static int64_t now(void)
{
	return atomic_fetch_add(&virtual, step) + step;
}

static const struct leat__policy policy = {.choose = choose, .now = now};

/* Before anything has seen the machine's own clock. */
__attribute__((constructor)) static void begin(void)
{
	leat__policy = &policy;
}

/* --- delays */

TEST(a_backoff_grows_to_its_cap)
{
	leat_backoff b = {.first_ns = 10, .max_ns = 1000, .factor = 3, .jitter = LEAT_JITTER_NONE};
	const int64_t delays[] = {10, 30, 90, 270, 810, 1000, 1000};

	for (int round = 0; round < 2; round++) {
		CHECK_EQ(leat_backoff_tries(&b), 0);
		for (int i = 0; i < 7; i++)
			CHECK_EQ(leat_backoff_next(&b), delays[i]);
		CHECK_EQ(leat_backoff_tries(&b), 7);
		leat_backoff_reset(&b);
	}
	b = (leat_backoff){.jitter = LEAT_JITTER_NONE};
	CHECK_EQ(leat_backoff_next(&b), 100 * MS);
	CHECK_EQ(leat_backoff_next(&b), 200 * MS);
	for (int i = 0; i < 5000; i++)
		(void)leat_backoff_next(&b);
	CHECK_EQ(leat_backoff_next(&b), 30 * LEAT_SECOND);
	b = (leat_backoff){.first_ns = 70, .max_ns = 50, .jitter = LEAT_JITTER_NONE};
	CHECK_EQ(leat_backoff_next(&b), 50);
	b = (leat_backoff){.max_ns = INT64_MAX, .factor = 1e300, .jitter = LEAT_JITTER_NONE};
	CHECK_EQ(leat_backoff_next(&b), 100 * MS);
	for (int i = 0; i < 10; i++)
		CHECK_EQ(leat_backoff_next(&b), INT64_MAX);
}

/* The k-th delay is even over its range: bounds, mean, and share of each quarter, to 8 standard deviations. */
static void check_even(leat_jitter jitter, double least)
{
	enum { N = 10000 };
	const double most[] = {1e6, 2e6, 4e6, 5e6, 5e6};
	double sum[5] = {0};
	int quarter[5][4] = {{0}};

	for (int i = 0; i < N; i++) {
		leat_backoff b = {.first_ns = MS, .max_ns = 5 * MS, .jitter = jitter};

		for (int k = 0; k < 5; k++) {
			double delay = (double)leat_backoff_next(&b);
			double part = (delay / most[k] - least) / (1 - least);

			CHECK(part > -1e-5 && part < 1);
			sum[k] += part;
			quarter[k][part > 0 ? (int)(part * 4) : 0]++;
		}
	}
	for (int k = 0; k < 5; k++) {
		CHECK(sum[k] / N > 0.5 - 0.024 && sum[k] / N < 0.5 + 0.024);
		for (int q = 0; q < 4; q++)
			CHECK(quarter[k][q] > N / 4 - 350 && quarter[k][q] < N / 4 + 350);
	}
}

TEST(full_jitter_is_even_from_0_to_the_delay_and_equal_jitter_from_half_of_it)
{
	check_even(LEAT_JITTER_FULL, 0);
	check_even(LEAT_JITTER_EQUAL, 0.5);
}

static void next(void *b)
{
	(void)leat_backoff_next(b);
}

TEST(misuse_panics)
{
	leat_backoff b = {.first_ns = -1};

	CHECK(test_panics(next, &b, "backoff: negative delay"));
	b = (leat_backoff){.max_ns = -1};
	CHECK(test_panics(next, &b, "backoff: negative delay"));
	b = (leat_backoff){.factor = 0.99};
	CHECK(test_panics(next, &b, "backoff: factor less than 1"));
	b = (leat_backoff){.factor = __builtin_nan("")};
	CHECK(test_panics(next, &b, "backoff: factor less than 1"));
}

/* --- attempts */

struct flaky {
	int *calls;
	int fails; /* so many times */
	int err;
};

static int flaky(struct flaky *a)
{
	return ++*a->calls <= a->fails ? a->err : 0;
}

struct log {
	leat_retry_attempt a[20];
	int n, permanent;
};

static void note(const leat_retry_attempt *a, void *arg)
{
	struct log *l = arg;

	l->a[l->n++] = *a;
}

static bool permanent(int err, const leat_error *error, void *arg)
{
	(void)error;
	return err == ((struct log *)arg)->permanent;
}

TEST(it_ends_with_the_attempt_that_succeeds)
{
	struct log log = {0};
	leat_retry_opts opts = {.backoff = {.first_ns = 100 * MS, .jitter = LEAT_JITTER_NONE},
	                        .attempted = note,
	                        .arg = &log};
	int calls = 0;

	step = 1;
	CHECK_EQ(LEAT_RETRY(&opts, NULL, flaky, &calls, 0, -EIO), 0);
	CHECK_EQ(calls, 1);
	CHECK_EQ(log.n, 1);
	CHECK_EQ(log.a[0].attempt, 1);
	CHECK_EQ(log.a[0].err, 0);
	CHECK_EQ(log.a[0].delay_ns, LEAT_FOREVER);
	log.n = calls = 0;
	step = MS;
	for (int round = 0; round < 2; round++, calls = log.n = 0) {
		CHECK_EQ(LEAT_RETRY(&opts, NULL, flaky, &calls, 3, -EIO), 0);
		CHECK_EQ(calls, 4);
		CHECK_EQ(log.n, 4);
		for (int i = 0; i < 3; i++) {
			CHECK_EQ(log.a[i].attempt, i + 1);
			CHECK_EQ(log.a[i].err, -EIO);
			CHECK(!log.a[i].error);
			CHECK_EQ(log.a[i].delay_ns, (100 << i) * MS);
			CHECK(log.a[i + 1].elapsed_ns - log.a[i].elapsed_ns >= log.a[i].delay_ns);
			CHECK(log.a[i + 1].elapsed_ns - log.a[i].elapsed_ns < log.a[i].delay_ns + 80 * MS);
		}
	}
}

TEST(it_gives_up_with_the_last_error)
{
	struct log log = {.permanent = -ENOENT};
	leat_retry_opts opts = {.backoff = {.first_ns = 100 * MS, .jitter = LEAT_JITTER_NONE},
	                        .attempted = note,
	                        .permanent = permanent,
	                        .arg = &log};
	int calls = 0;

	CHECK_EQ(LEAT_RETRY(&opts, NULL, flaky, &calls, 100, -ENOENT), -ENOENT);
	CHECK_EQ(calls, 1);
	CHECK_EQ(log.a[0].delay_ns, LEAT_FOREVER);

	opts.attempts = 3;
	log.n = calls = 0;
	CHECK_EQ(LEAT_RETRY(&opts, NULL, flaky, &calls, 100, -EIO), -EIO);
	CHECK_EQ(calls, 3);
	CHECK_EQ(log.a[2].delay_ns, LEAT_FOREVER);

	opts.attempts = 0; /* 100, 200, 400, 800: the fifth would be after 1,500 at least */
	opts.elapsed_ns = 1499 * MS;
	log.n = calls = 0;
	CHECK_EQ(LEAT_RETRY(&opts, NULL, flaky, &calls, 100, -EIO), -EIO);
	CHECK_EQ(calls, 4);
	CHECK(log.a[3].elapsed_ns < 1000 * MS); /* and not waited for */
}

TEST(section_16_a_deadline_is_not_waited_for_and_a_cancel_ends_it)
{
	leat_retry_opts opts = {.backoff = {.first_ns = LEAT_SECOND, .jitter = LEAT_JITTER_NONE}};
	leat_ctx *soon = leat_ctx_with_timeout(leat_ctx_background(), 2500 * MS);
	leat_ctx *canceled = leat_ctx_with_cancel(leat_ctx_background());
	int64_t start = virtual;
	int calls = 0;

	CHECK_EQ(LEAT_RETRY(&opts, soon, flaky, &calls, 100, -EIO), -EIO);
	CHECK_EQ(calls, 2); /* 0 s, 1 s, and not 3 s */
	CHECK(virtual - start < 1500 * MS);
	CHECK_EQ(leat_ctx_err(soon), 0);
	leat_ctx_cancel(canceled);
	CHECK_EQ(LEAT_RETRY(&opts, canceled, flaky, &calls, 100, -EIO), -ECANCELED);
	CHECK_EQ(calls, 2);
	leat_ctx_free(soon);
	leat_ctx_free(canceled);
}

TEST_MAIN
