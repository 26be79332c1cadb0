/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_retry with contexts that end it, errors that it lets go of, panics, and random numbers that LEAT_SEED
 * repeats.  When attempts are made is in src/scale/retry_test.c.
 */
#include "test.h"

#include <stdatomic.h>

#define US LEAT_MICROSECOND

/* --- contexts */

struct failing {
	atomic_int *calls;
};

static int failing(struct failing *a)
{
	atomic_fetch_add(a->calls, 1);
	return -EIO;
}

struct retrier {
	leat_retry_opts *opts;
	leat_ctx *ctx;
	atomic_int *calls, *result;
};

static void retrier(struct retrier *a)
{
	atomic_store(a->result, LEAT_RETRY(a->opts, a->ctx, failing, a->calls));
}

TEST(section_16_a_cancel_ends_the_wait_between_attempts)
{
	leat_retry_opts opts = {
	    .backoff = {.first_ns = LEAT_HOUR, .max_ns = LEAT_HOUR, .jitter = LEAT_JITTER_NONE}};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int calls = 0, result = 1;

	go(retrier, &opts, ctx, &calls, &result);
	test_parked(1);
	CHECK_EQ(atomic_load(&calls), 1);
	CHECK_EQ(atomic_load(&result), 1);
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&result) == -ECANCELED);
	CHECK_EQ(atomic_load(&calls), 1);
	test_goroutines(1);
	leat_ctx_free(ctx);
}

TEST(many_retry_at_once)
{
	leat_retry_opts opts = {.backoff = LEAT_BACKOFF(10 * US, 100 * US), .attempts = 20};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int calls = 0, result[50];

	for (int i = 0; i < 50; i++) {
		atomic_store(&result[i], 1);
		go(retrier, &opts, i % 2 ? ctx : NULL, &calls, &result[i]);
	}
	test_until(atomic_load(&calls) > 100);
	leat_ctx_cancel(ctx);
	for (int i = 0; i < 50; i++) {
		test_until(atomic_load(&result[i]) != 1);
		CHECK(atomic_load(&result[i]) == -EIO || (i % 2 && atomic_load(&result[i]) == -ECANCELED));
	}
	CHECK(atomic_load(&calls) >= 25 * 20 && atomic_load(&calls) <= 50 * 20);
	test_goroutines(1);
	leat_ctx_free(ctx);
}

/* --- errors */

LEAT_ERROR(broken, -EIO, "it is broken");

struct breaking {
	int *calls;
	int fails;
};

static const leat_error *breaking(struct breaking *a)
{
	return ++*a->calls <= a->fails ? leat_errorf(&broken, "attempt %d", *a->calls) : NULL;
}

/* By the message of the error, which is still there. */
static bool is_third(int err, const leat_error *error, void *arg)
{
	(void)arg;
	CHECK_EQ(err, -EIO);
	return strncmp(leat_error_message(error), "attempt 3", 9) == 0;
}

static void no_error(const leat_retry_attempt *a, void *arg)
{
	CHECK(!a->error == !a->err);
	++*(int *)arg;
}

static void retry_errors(void)
{
	int noted = 0, calls = 0;
	leat_retry_opts opts = {.backoff = {.first_ns = 1}, .attempted = no_error, .arg = &noted};
	const leat_error *e;

	CHECK(!LEAT_RETRY_ERROR(&opts, NULL, breaking, &calls, 5));
	CHECK_EQ(noted, 6);
	calls = 0;
	opts.permanent = is_third;
	e = LEAT_RETRY_ERROR(&opts, NULL, breaking, &calls, 5);
	CHECK_EQ(calls, 3);
	CHECK(leat_error_is(e, &broken));
	CHECK(strncmp(leat_error_message(e), "attempt 3", 9) == 0);
	leat_error_free(e);
	calls = 0;
	opts.permanent = NULL;
	opts.attempts = 2;
	e = LEAT_RETRY_ERROR(&opts, NULL, breaking, &calls, 5);
	CHECK_EQ(calls, 2);
	leat_error_free(e);
}

TEST(errors_of_all_attempts_but_the_last_are_let_go_of)
{
	size_t before;

	retry_errors(); /* what is made once is made */
	before = test_heap_in_use();
	for (int i = 0; i < test_count(10000); i++)
		retry_errors();
	CHECK(test_heap_in_use() < before + 50000); /* threads keep some of what they free */
}

static const leat_error *cancels(void *ctx)
{
	leat_ctx_cancel((leat_ctx *)ctx);
	return leat_errorf(&broken, "canceled in between");
}

TEST(an_error_where_the_context_ended_it_tells_both)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	const leat_error *e = leat_retry_error(NULL, cancels, ctx, ctx);

	CHECK(leat_error_is(e, &broken));
	CHECK(leat_error_is(e, &leat_canceled));
	leat_error_free(e);
	e = leat_retry_error(NULL, cancels, ctx, ctx); /* not even once */
	CHECK(leat_error_is(e, &leat_canceled));
	CHECK(!leat_error_is(e, &broken));
	leat_error_free(e);
	leat_ctx_free(ctx);
}

/* --- panics */

static bool panics(int err, const leat_error *error, void *arg)
{
	(void)err;
	(void)error;
	(void)arg;
	leat_panic("in permanent");
}

static void retry_and_panic(void *arg)
{
	int calls = 0;
	leat_retry_opts opts = {.permanent = panics};

	(void)arg;
	leat_error_free(LEAT_RETRY_ERROR(&opts, NULL, breaking, &calls, 5));
}

TEST(a_panic_passes_through_and_leaves_nothing_behind)
{
	size_t before;

	CHECK(test_panics(retry_and_panic, NULL, "in permanent"));
	before = test_heap_in_use();
	for (int i = 0; i < test_count(10000); i++)
		CHECK(test_panics(retry_and_panic, NULL, "in permanent"));
	CHECK(test_heap_in_use() < before + 50000); /* threads keep some of what they free */
}

/* --- random numbers */

/* What this program prints when it is given a seed and one processor. */
static void print_delays(void)
{
	leat_backoff b = {0};

	for (int i = 0; i < 8; i++)
		printf("%" PRId64 "\n", leat_backoff_next(&b));
}

static void run_with_seed(int seed, char *text, size_t bytes)
{
	char command[4200], self[4096];
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	size_t got;
	FILE *f;

	CHECK(length > 0);
	self[length] = '\0';
	snprintf(command, sizeof command, "LEAT_PROCS=1 LEAT_SEED=%d '%s' --print", seed, self);
	f = popen(command, "r");
	CHECK(f);
	got = fread(text, 1, bytes - 1, f);
	text[got] = '\0';
	CHECK_EQ(pclose(f), 0);
	CHECK(got > 16);
}

TEST(a_seed_repeats_the_delays)
{
	char first[400], again[400], other[400];

	if (test_emulated())
		return;
	run_with_seed(7, first, sizeof first);
	run_with_seed(7, again, sizeof again);
	run_with_seed(8, other, sizeof other);
	CHECK_STR(first, again);
	CHECK(strcmp(first, other) != 0);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--print") == 0) {
		print_delays();
		return 0;
	}
	return test_main(argc, argv);
}
