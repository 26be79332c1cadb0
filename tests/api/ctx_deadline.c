/* SPDX-License-Identifier: MIT */
/*
 * Goal: deadlines of contexts: the earliest on the way from the root counts, never early, once, and whoever
 * cancels, frees or waits at the same instant.
 */
#include "ctx_help.h"

#include <pthread.h>
#include <stdatomic.h>

LEAT_ERROR(too_slow, -ETIME, "too slow");

TEST(line_130_done_when_the_instant_has_come_and_not_early)
{
	int64_t at = leat_now() + 2 * LEAT_MILLISECOND, got = 0;
	leat_ctx *ctx = leat_ctx_with_deadline(leat_ctx_background(), at);

	CHECK(leat_ctx_deadline(ctx, &got));
	CHECK_EQ(got, at);
	chan_recv(leat_ctx_done(ctx));
	CHECK(leat_now() >= at);
	CHECK(leat_ctx_error(ctx) == &leat_deadline_exceeded);
	CHECK(is_done(ctx));
	CHECK(leat_ctx_deadline(ctx, &got)); /* still */
	CHECK_EQ(got, at);
	leat_ctx_free(ctx);
}

TEST(line_130_after_a_duration)
{
	int64_t begin = leat_now(), at = 0;
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);

	CHECK(leat_ctx_deadline(ctx, &at));
	CHECK(at >= begin + LEAT_MILLISECOND && at <= leat_now() + LEAT_MILLISECOND);
	test_until(leat_ctx_err(ctx));
	CHECK(leat_now() >= at);
	CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
	leat_ctx_free(ctx);
}

TEST(line_130_below_one_that_is_done_it_has_its_own)
{
	int64_t at = leat_now() + LEAT_HOUR, got = 0;
	leat_ctx *parent = leat_ctx_with_deadline(leat_ctx_background(), at);
	leat_ctx *sooner;

	leat_ctx_cancel(parent);
	sooner = leat_ctx_with_deadline(parent, at - 1);
	CHECK(leat_ctx_deadline(sooner, &got));
	CHECK_EQ(got, at - 1);
	CHECK_EQ(leat_ctx_err(sooner), -ECANCELED);
	leat_ctx_free(sooner);
	sooner = leat_ctx_with_timeout(parent, -1);
	CHECK(leat_ctx_deadline(sooner, &got));
	CHECK(got <= leat_now());
	CHECK_EQ(leat_ctx_err(sooner), -ECANCELED);
	leat_ctx_free(sooner);
	leat_ctx_free(parent);
}

TEST(line_130_the_parents_is_kept_where_it_is_earlier)
{
	int64_t at = leat_now() + 100 * LEAT_MILLISECOND, got = 0;
	leat_ctx *parent = leat_ctx_with_deadline(leat_ctx_background(), at);
	leat_ctx *between = leat_ctx_with_cancel(parent);
	leat_ctx *later = leat_ctx_with_deadline(between, at + LEAT_HOUR);
	leat_ctx *sooner = leat_ctx_with_deadline(later, at - 1);

	CHECK(leat_ctx_deadline(between, &got));
	CHECK_EQ(got, at);
	got = 0;
	CHECK(leat_ctx_deadline(later, &got));
	CHECK_EQ(got, at);
	CHECK(leat_ctx_deadline(sooner, &got));
	CHECK_EQ(got, at - 1);
	CHECK(leat_ctx_deadline(later, NULL));
	chan_recv(leat_ctx_done(later));
	CHECK(leat_now() >= at);
	CHECK_EQ(leat_ctx_err(between), -ETIMEDOUT);
	chan_recv(leat_ctx_done(sooner));
	CHECK_EQ(leat_ctx_err(sooner), -ETIMEDOUT);
	leat_ctx_free(sooner);
	leat_ctx_free(later);
	leat_ctx_free(between);
	leat_ctx_free(parent);
}

TEST(line_130_in_the_past_it_is_done_on_return)
{
	int64_t now = leat_now();
	int64_t past[] = {now, now - 1, 1, 0, -1, INT64_MIN};

	for (int i = 0; i < 6; i++) {
		int64_t got = 7;
		leat_ctx *ctx = leat_ctx_with_deadline_cause(leat_ctx_background(), past[i], &too_slow);

		CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
		leat_ctx_cancel(ctx);
		CHECK(is_done(ctx));
		CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
		CHECK(leat_ctx_cause(ctx) == &too_slow);
		CHECK(leat_ctx_deadline(ctx, &got));
		CHECK_EQ(got, past[i]);
		leat_ctx_free(ctx);
	}
	for (int i = 0; i < 3; i++) {
		leat_ctx *ctx =
		    leat_ctx_with_timeout(leat_ctx_background(), ((int64_t[]){0, -1, INT64_MIN})[i]);

		CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
		leat_ctx_free(ctx);
	}
}

TEST(line_152_far_in_the_future_does_not_wrap)
{
	int64_t durations[] = {INT64_MAX, INT64_MAX - 1, INT64_MAX - leat_now(), 100000 * LEAT_HOUR};

	for (int i = 0; i < 8; i++) {
		int64_t at = 0;
		leat_ctx *ctx = i < 4 ? leat_ctx_with_timeout(leat_ctx_background(), durations[i])
		                      : leat_ctx_with_deadline(leat_ctx_background(), durations[i - 4]);
		leat_ctx *below = leat_ctx_with_timeout(ctx, LEAT_HOUR);

		CHECK(leat_ctx_deadline(ctx, &at));
		CHECK(at > leat_now() + LEAT_HOUR);
		CHECK(!is_done(ctx));
		CHECK(leat_ctx_deadline(below, &at));
		CHECK(at <= leat_now() + LEAT_HOUR);
		leat_ctx_free(below);
		leat_ctx_free(ctx);
	}
}

TEST(line_131_a_cancel_stops_the_timer_and_leaves_no_memory)
{
	int n = 20000 + test_count(100000);
	size_t before = 0;

	for (int i = 0; i < n; i++) {
		leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR + i % 1000);

		if (i % 2)
			leat_ctx_cancel(ctx);
		leat_ctx_free(ctx);
		if (i == n / 2)
			before = test_heap_in_use();
	}
	/* Threads may come meanwhile, of some 10 KiB each; a context alone is more than a hundred bytes. */
	CHECK(test_heap_in_use() <= before + (size_t)n / 2 * 50);
}

TEST(line_138_a_deadline_is_a_time_out)
{
	leat_ctx *expired = leat_ctx_with_timeout(leat_ctx_background(), 0);
	leat_ctx *canceled = leat_ctx_with_cancel(leat_ctx_background());

	leat_ctx_cancel(canceled);
	CHECK(leat_error_timeout(leat_ctx_error(expired)));
	CHECK(!leat_error_timeout(leat_ctx_error(canceled)));
	leat_ctx_free(expired);
	leat_ctx_free(canceled);
}

TEST(many_deadlines_each_in_its_time)
{
	int n = test_count(20000);
	leat_ctx **all = malloc((size_t)n * sizeof(leat_ctx *));
	int64_t begin = leat_now();

	CHECK(all != NULL);
	for (int i = 0; i < n; i++)
		all[i] = leat_ctx_with_deadline(i % 3 ? all[i - i % 3] : leat_ctx_background(),
		                                begin + (i * 7919 % 1000) * 5 * LEAT_MICROSECOND);
	for (int i = 0; i < n; i++) {
		int64_t at;

		chan_recv(leat_ctx_done(all[i]));
		CHECK(leat_ctx_deadline(all[i], &at));
		CHECK(leat_now() >= at);
		CHECK_EQ(leat_ctx_err(all[i]), -ETIMEDOUT);
	}
	for (int i = n; i-- > 0;)
		leat_ctx_free(all[i]);
	free(all);
	test_goroutines(1);
}

/* --- at the same instant */

/* Whoever comes first, error and cause belong together, and what is below agrees. */
TEST(line_126_a_cancel_races_with_the_deadline)
{
	int rounds = test_count(20000), expired = 0;

	for (int round = 0; round < rounds; round++) {
		int64_t wait = (round % 100) * LEAT_MICROSECOND;
		leat_ctx *ctx = leat_ctx_with_timeout_cause(leat_ctx_background(), wait, &too_slow);
		leat_ctx *child = leat_ctx_with_cancel(ctx);
		int64_t until = leat_now() + 50 * LEAT_MICROSECOND;

		while (leat_now() < until)
			leat_yield();
		leat_ctx_cancel(ctx);
		CHECK(leat_ctx_err(ctx) != 0);
		CHECK_EQ(leat_ctx_err(child), leat_ctx_err(ctx));
		if (leat_ctx_err(ctx) == -ETIMEDOUT)
			CHECK(leat_ctx_cause(ctx) == &too_slow && leat_ctx_cause(child) == &too_slow);
		else
			CHECK(leat_ctx_cause(ctx) == &leat_canceled);
		expired += leat_ctx_err(ctx) == -ETIMEDOUT;
		leat_ctx_free(child);
		leat_ctx_free(ctx);
	}
	CHECK(expired > 0);
}

struct freer {
	int first, rounds;
	bool tree;
	leat_waitgroup *done;
};

/* Frees at once what the deadline has just ended, or is about to end. */
static void freer(struct freer *a)
{
	for (int i = a->first; i < a->rounds; i++) {
		leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), i % 50 * LEAT_MICROSECOND);
		leat_ctx *child = a->tree ? leat_ctx_with_timeout(ctx, i % 60 * LEAT_MICROSECOND) : NULL;

		if (i % 3 == 0)
			chan_recv(leat_ctx_done(ctx));
		else if (i % 3 == 1)
			test_until(leat_ctx_err(ctx));
		else
			leat_sleep(i % 47 * LEAT_MICROSECOND);
		leat_ctx_free(child);
		leat_ctx_free(ctx);
	}
	leat_waitgroup_done(a->done);
}

static void *freer_thread(void *arg)
{
	freer(arg);
	return NULL;
}

TEST(a_context_may_be_freed_as_its_deadline_comes)
{
	leat_waitgroup done = {0};
	int n = test_count(5000);
	struct freer outside = {0, n / 4, true, &done};
	pthread_t thread;

	leat_waitgroup_add(&done, 9);
	for (int i = 0; i < 8; i++)
		go(freer, i, n, i % 2, &done);
	CHECK_EQ(pthread_create(&thread, NULL, freer_thread, &outside), 0);
	leat_waitgroup_wait(&done);
	pthread_join(thread, NULL);
	test_goroutines(1);
}

struct sharer {
	leat_ctx *parent;
	int64_t at;
	leat_waitgroup *done;
};

static void sharer(struct sharer *a)
{
	while (!leat_ctx_err(a->parent)) {
		bool past = leat_now() >= a->at;
		leat_ctx *ctx = leat_ctx_with_deadline(a->parent, a->at);

		if (past) /* though the parent's timer may come late */
			CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
		if (leat_goid() % 2)
			leat_ctx_done(ctx);
		leat_ctx_free(ctx);
		leat_yield();
	}
	leat_waitgroup_done(a->done);
}

/* Children with the parent's own deadline come and go as it passes. */
TEST(line_130_children_with_the_same_deadline)
{
	int rounds = test_count(500);

	for (int round = 0; round < rounds; round++) {
		int64_t at = leat_now() + 200 * LEAT_MICROSECOND;
		leat_ctx *parent = leat_ctx_with_deadline(leat_ctx_background(), at);
		leat_waitgroup done = {0};

		leat_waitgroup_add(&done, 6);
		for (int i = 0; i < 6; i++)
			go(sharer, parent, at - i % 2, &done);
		leat_waitgroup_wait(&done);
		leat_ctx_free(parent);
	}
	test_goroutines(1);
}

static void *thread_waits(void *arg)
{
	int64_t at;
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);

	CHECK(leat_ctx_deadline(ctx, &at));
	chan_recv(leat_ctx_done(ctx));
	CHECK(leat_now() >= at);
	CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
	leat_ctx_free(ctx);
	return arg;
}

TEST(a_plain_thread_makes_and_awaits_one)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, thread_waits, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

TEST(line_130_a_scopes_deadline_is_a_contexts)
{
	int64_t at = leat_now() + LEAT_HOUR, got = 0;
	scope(s, NULL);
	leat_ctx *before = leat_ctx_with_cancel(s);

	CHECK(!leat_ctx_deadline(s, &got));
	CHECK(!leat_ctx_deadline(before, &got));
	scope_deadline(s, at);
	CHECK(leat_ctx_deadline(s, &got));
	CHECK_EQ(got, at);
	CHECK(leat_ctx_deadline(before, &got));
	CHECK_EQ(got, at);
	scope_deadline(s, at - 5);
	CHECK(leat_ctx_deadline(before, &got));
	CHECK_EQ(got, at - 5);
	scope_timeout(s, 0);
	CHECK_EQ(leat_ctx_err(before), -ETIMEDOUT);
	leat_ctx_free(before);
}

TEST_MAIN
