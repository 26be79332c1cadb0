/* SPDX-License-Identifier: MIT */
/*
 * Goal: functions that start when a context is done: once or, where the stop came first, never.
 * Method: counts, channels for what must wait, and stops and frees that race with cancels.
 */
#include "ctx_help.h"

#include <pthread.h>
#include <stdatomic.h>

static void count(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

struct told {
	leat_ctx *ctx;
	uint64_t id;
	int before_func, before_cancel;
	atomic_bool done;
};

static void tell(void *arg)
{
	struct told *t = arg;

	CHECK_EQ(t->before_func, 42);
	CHECK_EQ(t->before_cancel, 43); /* without a look at ctx */
	CHECK(is_done(t->ctx));
	t->id = leat_goid();
	atomic_store(&t->done, true);
}

static void *cancel_thread(void *arg)
{
	struct told *t = arg;

	t->before_cancel = 43;
	leat_ctx_cancel(t->ctx);
	return NULL;
}

TEST(line_135_once_in_a_goroutine_of_its_own_after_done)
{
	for (int i = 0; i < 20; i++) {
		struct told told = {.ctx = leat_ctx_with_cancel(leat_ctx_background())};
		leat_ctx_after after;
		pthread_t thread;

		told.before_func = 42;
		leat_ctx_after_func(told.ctx, &after, tell, &told);
		for (int k = 0; k < 20; k++)
			leat_yield();
		CHECK_EQ(leat_num_goroutine(), 1); /* none before */
		CHECK(!atomic_load(&told.done));
		CHECK_EQ(pthread_create(&thread, NULL, cancel_thread, &told), 0);
		test_until(atomic_load(&told.done));
		CHECK(told.id != leat_goid() && told.id != 0);
		CHECK(!leat_ctx_after_stop(&after));
		pthread_join(thread, NULL);
		leat_ctx_free(told.ctx);
		test_goroutines(1); /* told's has ended, or the next round counts it */
	}
}

TEST(line_135_at_once_where_it_is_done)
{
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), 0);
	struct told told = {.ctx = ctx, .before_func = 42, .before_cancel = 43};
	leat_ctx_after after;

	leat_ctx_after_func(ctx, &after, tell, &told);
	test_until(atomic_load(&told.done));
	CHECK(!leat_ctx_after_stop(&after));
	leat_ctx_free(ctx);
	test_goroutines(1);
}

TEST(line_135_a_deadline_starts_it)
{
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	struct told told = {.ctx = ctx, .before_func = 42, .before_cancel = 43};
	leat_ctx_after after;

	leat_ctx_after_func(ctx, &after, tell, &told);
	test_until(atomic_load(&told.done));
	leat_ctx_free(ctx);
	test_goroutines(1);
}

/* On the context, on what is below it and above: each has its own. */
TEST(line_135_several_are_independent)
{
	static const leat_ctx_key key = {"k"};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *value = leat_ctx_with_value(ctx, &key, NULL);
	leat_ctx *child = leat_ctx_with_cancel(value);
	leat_ctx *on[] = {ctx, value, child, ctx, value, child};
	leat_ctx_after after[6];
	atomic_int ran[6] = {0};

	for (int i = 0; i < 6; i++)
		leat_ctx_after_func(on[i], &after[i], count, &ran[i]);
	CHECK(leat_ctx_after_stop(&after[1]));
	CHECK(leat_ctx_after_stop(&after[2]));
	leat_ctx_cancel(child);
	test_until(atomic_load(&ran[5]) == 1);
	CHECK_EQ(atomic_load(&ran[0]) + atomic_load(&ran[3]) + atomic_load(&ran[4]), 0);
	leat_ctx_cancel(ctx);
	for (int i = 0; i < 6; i++)
		if (i != 1 && i != 2)
			test_until(atomic_load(&ran[i]) == 1);
	leat_ctx_free(child);
	leat_ctx_free(value);
	leat_ctx_free(ctx);
	test_goroutines(1);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(ran[i], i != 1 && i != 2);
}

struct held {
	recv_chan(leat_empty) go_on;
	atomic_int begun, ended;
};

static void hold(void *arg)
{
	struct held *h = arg;

	atomic_fetch_add(&h->begun, 1);
	chan_recv(h->go_on);
	atomic_fetch_add(&h->ended, 1);
}

/* The function runs on while the cancel, the stop and the free have returned. */
TEST(line_135_line_136_nobody_waits_for_the_function)
{
	chan(leat_empty) go_on = chan_make(leat_empty, 0);
	struct held h = {.go_on = chan_receiver(go_on)};
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx_after after;

	leat_ctx_after_func(ctx, &after, hold, &h);
	leat_ctx_cancel(ctx);
	test_until(atomic_load(&h.begun) == 1);
	CHECK(!leat_ctx_after_stop(&after));
	leat_ctx_free(ctx);
	CHECK_EQ(h.ended, 0);
	chan_close(go_on);
	test_until(atomic_load(&h.ended) == 1);
	test_goroutines(1);
	chan_free(go_on);
}

TEST(line_136_a_stop_prevents_it_and_only_the_first)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx_after after, never = {0};
	atomic_int ran = 0;

	CHECK(!leat_ctx_after_stop(&never)); /* it was never given to anybody */
	leat_ctx_after_func(ctx, &after, count, &ran);
	CHECK(leat_ctx_after_stop(&after));
	CHECK(!leat_ctx_after_stop(&after));
	leat_ctx_after_func(ctx, &after, count, &ran); /* it may be used again */
	CHECK(leat_ctx_after_stop(&after));
	leat_ctx_cancel(ctx);
	CHECK(!leat_ctx_after_stop(&after));
	for (int i = 0; i < 100; i++)
		leat_yield();
	test_goroutines(1);
	CHECK_EQ(ran, 0);
	leat_ctx_free(ctx);
}

TEST(line_136_on_what_can_never_be_done)
{
	leat_ctx *endless = leat_ctx_without_cancel(leat_ctx_background());
	leat_ctx *on[] = {leat_ctx_background(), leat_ctx_todo(), endless};
	atomic_int ran = 0;

	for (int i = 0; i < 3; i++) {
		leat_ctx_after after, dropped;

		leat_ctx_after_func(on[i], &dropped, count, &ran); /* costs nothing, leaks nothing */
		leat_ctx_after_func(on[i], &after, count, &ran);
		CHECK(leat_ctx_after_stop(&after));
		CHECK(!leat_ctx_after_stop(&after));
	}
	leat_ctx_free(endless);
	test_goroutines(1);
	CHECK_EQ(ran, 0);
}

TEST(line_136_stopped_ones_cost_no_memory)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int n = test_count(200000);
	atomic_int ran = 0;
	size_t before = 0;

	for (int i = 0; i < n; i++) {
		leat_ctx_after after[3];

		for (int k = 0; k < 3; k++)
			leat_ctx_after_func(ctx, &after[k], count, &ran);
		for (int k = 0; k < 3; k++)
			CHECK(leat_ctx_after_stop(&after[(k + i) % 3]));
		if (i == n / 2)
			before = test_heap_in_use();
	}
	CHECK(heap_is_back(before));
	leat_ctx_free(ctx);
	CHECK_EQ(ran, 0);
	CHECK_EQ(leat_num_goroutine(), 1);
}

/* Freeing cancels, and so starts what is pending. */
TEST(line_135_a_free_starts_what_is_pending)
{
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
	leat_ctx_after after[3];
	atomic_int ran = 0;

	for (int i = 0; i < 3; i++)
		leat_ctx_after_func(ctx, &after[i], count, &ran);
	leat_ctx_free(ctx);
	test_until(atomic_load(&ran) == 3);
	test_goroutines(1);
}

TEST(line_135_a_scope_starts_it_when_it_is_left)
{
	leat_ctx_after on_scope, below, stopped;
	atomic_int ran = 0;

	{
		scope(s, NULL);
		leat_ctx *ctx = leat_ctx_with_cancel(s);

		leat_ctx_after_func(s, &on_scope, count, &ran);
		leat_ctx_after_func(ctx, &below, count, &ran);
		leat_ctx_after_func(s, &stopped, count, &ran);
		CHECK(leat_ctx_after_stop(&stopped));
		CHECK_EQ(ran, 0);
	}
	test_until(atomic_load(&ran) == 2);
	test_goroutines(1);
	CHECK_EQ(ran, 2);
}

struct freeing {
	leat_ctx *ctx;
	atomic_bool done;
};

static void free_ctx(void *arg)
{
	struct freeing *f = arg;

	leat_ctx_free(f->ctx);
	atomic_store(&f->done, true);
}

/* Nobody else uses the context once its deadline has come. */
TEST(the_function_may_free_its_context)
{
	int rounds = test_count(5000);

	for (int round = 0; round < rounds; round++) {
		struct freeing f = {0};
		leat_ctx_after after;

		f.ctx = leat_ctx_with_timeout(leat_ctx_background(), round % 30 * LEAT_MICROSECOND);
		leat_ctx_after_func(f.ctx, &after, free_ctx, &f);
		test_until(atomic_load(&f.done));
	}
	test_goroutines(1);
}

/* --- at the same time */

struct racer {
	leat_ctx *ctx;
	leat_ctx_after *after;
	atomic_int *stopped;
	leat_waitgroup *start, *done;
};

static void stopper(struct racer *a)
{
	leat_waitgroup_wait(a->start);
	if (leat_ctx_after_stop(a->after))
		atomic_fetch_add(a->stopped, 1);
	leat_waitgroup_done(a->done);
}

static void canceller(struct racer *a)
{
	leat_waitgroup_wait(a->start);
	leat_ctx_cancel(a->ctx);
	leat_waitgroup_done(a->done);
}

static void *stop_thread(void *arg)
{
	stopper(arg);
	return NULL;
}

/* Of the stops and the run exactly one succeeds, for each function. */
TEST(line_136_stopped_or_ran_never_both_never_neither)
{
	int rounds = test_count(3000), stops = 0;

	for (int round = 0; round < rounds; round++) {
		leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
		leat_ctx *ctx = leat_ctx_with_timeout(
		    parent, round % 2 ? LEAT_HOUR : (60 + round % 60) * LEAT_MICROSECOND);
		leat_ctx_after after[2];
		atomic_int ran[2] = {0}, stopped[2] = {0};
		leat_waitgroup start = {0}, done = {0};
		struct racer outside = {ctx, &after[0], &stopped[0], &start, &done};
		pthread_t thread;

		leat_ctx_after_func(ctx, &after[0], count, &ran[0]);
		leat_ctx_after_func(ctx, &after[1], count, &ran[1]);
		leat_waitgroup_add(&start, 1);
		leat_waitgroup_add(&done, 5);
		for (int i = 0; i < 4; i++) {
			if (i == round % 4)
				go_as(racer, canceller, round % 3 ? parent : ctx, NULL, NULL, &start, &done);
			else
				go_as(racer, stopper, ctx, &after[i % 2], &stopped[i % 2], &start, &done);
		}
		CHECK_EQ(pthread_create(&thread, NULL, stop_thread, &outside), 0);
		leat_waitgroup_done(&start);
		leat_waitgroup_wait(&done);
		pthread_join(thread, NULL);
		test_goroutines(1);
		for (int i = 0; i < 2; i++) {
			CHECK_EQ(ran[i] + stopped[i], 1);
			CHECK(!leat_ctx_after_stop(&after[i]));
			stops += stopped[i];
		}
		leat_ctx_free(ctx);
		leat_ctx_free(parent);
	}
	CHECK(stops < 2 * rounds || rounds < 50); /* both happened */
	CHECK(stops > 0 || rounds < 50);
}

TEST_MAIN
