/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_once runs its function once, however that ends, and nobody returns before; a context ends a wait.
 * Method: functions that count their calls, and are held up until who waits for them is observably parked.
 */
#include "chan_help.h"

#include <errno.h>

struct counted {
	leat_once once;
	int calls; /* plain: a race detector sees who reads it before the function has ended */
	chan(int) gate;
	int returned; /* atomic */
	leat_ctx *ctx;
	int ended; /* atomic: 1 + the result of who waited with ctx */
};

/* Held up at the gate. */
static void count(void *arg)
{
	struct counted *c = arg;

	if (c->gate)
		chan_recv(c->gate);
	c->calls++;
}

static void count_and_panic(void *arg)
{
	count(arg);
	leat_panic("of the function");
}

static void count_and_exit(void *arg)
{
	count(arg);
	leat_goexit();
}

static void never(void *arg)
{
	(void)arg;
	CHECK(false);
}

static void do_once(void *arg)
{
	struct counted *c = arg;

	leat_once_do(&c->once, count, c);
	CHECK_EQ(c->calls, 1);
	__atomic_fetch_add(&c->returned, 1, __ATOMIC_ACQ_REL);
}

static int returned(struct counted *c)
{
	return __atomic_load_n(&c->returned, __ATOMIC_ACQUIRE);
}

TEST(line_117_it_runs_once)
{
	struct counted c = {0};

	for (int i = 0; i < 10; i++)
		do_once(&c);
	leat_once_do(&c.once, never, NULL); /* another function does not make it another once */
}

TEST(line_117_every_caller_returns_after_the_function_has_ended)
{
	struct counted c = {.gate = chan_make(int, 0)};

	for (int i = 0; i < 10; i++)
		start(i % KINDS, do_once, &c);
	test_parked(10); /* one at the gate, nine for it */
	CHECK_EQ(returned(&c), 0);
	chan_send(c.gate, 1);
	test_until(returned(&c) == 10);
	test_goroutines(1);
	do_once(&c);
	chan_free(c.gate);
}

TEST(line_117_many_at_once)
{
	int rounds = test_count(20000);
	static struct counted all[2000];

	for (int i = 0; i < rounds; i++) {
		struct counted *c = &all[i % 2000];

		*c = (struct counted){0};
		for (int j = 0; j < 4; j++)
			start(GOROUTINE, do_once, c);
		test_until(returned(c) == 4);
	}
	test_goroutines(1);
}

static void do_panicking(void *arg)
{
	struct counted *c = arg;

	leat_once_do(&c->once, count_and_panic, c);
}

TEST(line_117_a_panic_counts_as_done)
{
	struct counted c = {.gate = chan_make(int, 1)}, *p = &c;

	chan_send(p->gate, 1);
	CHECK(test_panics(do_panicking, &c, "of the function"));
	do_panicking(&c);
	CHECK_EQ(c.calls, 1);
	chan_free(c.gate);
}

static void note_return(struct counted *c)
{
	__atomic_fetch_add(&c->returned, 1, __ATOMIC_ACQ_REL);
}

static void panic_in_goroutine(void *arg)
{
	defer(note_return, (struct counted *)arg);
	CHECK(test_panics(do_panicking, arg, "of the function"));
}

static void exit_in_goroutine(void *arg)
{
	struct counted *c = arg;

	defer(note_return, c);
	leat_once_do(&c->once, count_and_exit, c);
	CHECK(false);
}

TEST(line_117_who_waits_for_one_that_panics_or_ends_by_goexit_returns)
{
	for (int way = 0; way < 2; way++) {
		struct counted c = {.gate = chan_make(int, 0)};

		start(GOROUTINE, way ? exit_in_goroutine : panic_in_goroutine, &c);
		test_parked(1);
		for (int i = 0; i < 4; i++)
			start(i % KINDS, do_once, &c);
		test_parked(5);
		chan_send(c.gate, 1);
		test_until(returned(&c) == 5);
		test_goroutines(1);
		chan_free(c.gate);
	}
}

/* Onces in onces are none of each other's business. */
static leat_once inner;
static int inner_calls;

static void count_inner(void *arg)
{
	(void)arg;
	inner_calls++;
}

static void outer(void *arg)
{
	leat_once_do(&inner, count_inner, arg);
	leat_once_do(&inner, count_inner, arg);
}

TEST(one_in_another)
{
	leat_once o = {0};

	leat_once_do(&o, outer, NULL);
	leat_once_do(&o, outer, NULL);
	CHECK_EQ(inner_calls, 1);
}

/* --- with a context */

static void do_with_ctx(void *arg)
{
	struct counted *c = arg;
	int err = leat_once_do_ctx(&c->once, never, NULL, c->ctx);

	if (!err)
		CHECK_EQ(c->calls, 1);
	__atomic_store_n(&c->ended, 1 + err, __ATOMIC_RELEASE);
}

TEST(a_context_that_is_done_calls_nothing_and_fails_even_if_it_is_done)
{
	struct counted c = {0};

	c.ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx_cancel(c.ctx);
	CHECK_EQ(leat_once_do_ctx(&c.once, never, NULL, c.ctx), -ECANCELED);
	CHECK_EQ(leat_once_do_ctx(&c.once, count, &c, NULL), 0);
	CHECK_EQ(c.calls, 1);
	CHECK_EQ(leat_once_do_ctx(&c.once, never, NULL, leat_ctx_background()), 0);
	CHECK_EQ(leat_once_do_ctx(&c.once, never, NULL, c.ctx), -ECANCELED);
	leat_ctx_free(c.ctx);
}

TEST(a_context_ends_a_wait_and_the_others_go_on)
{
	for (int way = 0; way < 3; way++) {
		struct counted c = {.gate = chan_make(int, 0)};

		start(GOROUTINE, do_once, &c);
		test_parked(1);
		start(GOROUTINE, do_once, &c);
		test_parked(2);
		c.ctx = way == 2 ? leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND)
		                 : leat_ctx_with_cancel(leat_ctx_background());
		start(way == 1 ? THREAD : GOROUTINE, do_with_ctx, &c);
		if (way < 2) {
			test_parked(3);
			start(GOROUTINE, do_once, &c);
			test_parked(4);
			leat_ctx_cancel(c.ctx);
		}
		test_until(__atomic_load_n(&c.ended, __ATOMIC_ACQUIRE) != 0);
		CHECK_EQ(c.ended - 1, way == 2 ? -ETIMEDOUT : -ECANCELED);
		CHECK_EQ(returned(&c), 0);
		chan_send(c.gate, 1);
		test_until(returned(&c) == (way < 2 ? 3 : 2));
		test_goroutines(1);
		leat_ctx_free(c.ctx);
		chan_free(c.gate);
	}
}

static void cancel_own(void *arg)
{
	struct counted *c = arg;

	leat_ctx_cancel(c->ctx);
	leat_yield();
	c->calls++;
}

TEST(the_function_itself_is_not_cut_short)
{
	struct counted c = {0};

	c.ctx = leat_ctx_with_cancel(leat_ctx_background());
	CHECK_EQ(leat_once_do_ctx(&c.once, cancel_own, &c, c.ctx), 0);
	CHECK_EQ(c.calls, 1);
	leat_ctx_free(c.ctx);
}

/* The end of the function against that of the context: both come, and each wait ends, one way or the other. */
static void yield_and_count(void *arg)
{
	struct counted *c = arg;

	leat_yield();
	c->calls++;
}

static void run_it(void *arg)
{
	struct counted *c = arg;

	leat_once_do(&c->once, yield_and_count, c);
	__atomic_fetch_add(&c->returned, 1, __ATOMIC_ACQ_REL);
}

static void wait_for_it(void *arg)
{
	struct counted *c = arg;
	int err = leat_once_do_ctx(&c->once, yield_and_count, c, c->ctx);

	CHECK(err == 0 || err == -ECANCELED);
	if (!err)
		CHECK_EQ(c->calls, 1);
	__atomic_fetch_add(&c->returned, 1, __ATOMIC_ACQ_REL);
}

TEST(the_end_meets_cancels)
{
	int rounds = test_count(100000);

	for (int i = 0; i < rounds; i++) {
		struct counted c = {0};

		c.ctx = leat_ctx_with_cancel(leat_ctx_background());
		start(GOROUTINE, run_it, &c);
		start(GOROUTINE, wait_for_it, &c);
		start(GOROUTINE, wait_for_it, &c);
		leat_yield();
		pause_for((unsigned)i % 512);
		leat_ctx_cancel(c.ctx);
		test_until(returned(&c) == 3);
		test_goroutines(1); /* they are done with c, which is on this stack */
		leat_ctx_free(c.ctx);
	}
}

TEST_MAIN
