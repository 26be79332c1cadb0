/* SPDX-License-Identifier: MIT */
/* Contexts: cancelling one before whatever follows from having found it done.  Using one orders nothing. */
#include "race.h"

#include <errno.h>

static leat_ctx *ctx, *below;
static leat_ctx_after after;
LEAT_CTX_KEY(number, int);

/* --- cancel, then found done */

static void writes_and_cancels(void)
{
	write_shared();
	leat_ctx_cancel(ctx);
	reach(1);
}

static void begin(void)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	below = leat_ctx_with_cancel(ctx);
}

static void before(void (*then)(void))
{
	begin();
	go0(writes_and_cancels);
	await(1);
	go0(then);
	await_last();
}

static void asks_err(void)
{
	MUST(leat_ctx_err(ctx) == -ECANCELED);
	write_last();
}

ORDERED(cancel_then_err)
{
	before(asks_err);
}

/* At every moment. */
static void asks_until(void)
{
	while (!leat_ctx_err(ctx))
		let_others();
	write_last();
}

ORDERED(cancel_while_one_asks)
{
	begin();
	go0(asks_until);
	go0(writes_and_cancels);
	await_last();
}

static void asks_error(void)
{
	MUST(leat_ctx_error(ctx) == &leat_canceled);
	write_last();
}

ORDERED(cancel_then_error)
{
	before(asks_error);
}

static void asks_cause(void)
{
	MUST(leat_ctx_cause(ctx) == &leat_canceled);
	write_last();
}

ORDERED(cancel_then_cause)
{
	before(asks_cause);
}

static void asks_below(void)
{
	MUST(leat_ctx_err(below) == -ECANCELED);
	write_last();
}

ORDERED(cancel_then_err_below)
{
	before(asks_below);
}

static void makes_below(void)
{
	leat_ctx *c = leat_ctx_with_cancel(ctx);

	MUST(leat_ctx_err(c) == -ECANCELED);
	write_last();
	leat_ctx_free(c);
}

ORDERED(cancel_then_made_below)
{
	before(makes_below);
}

static void makes_below_and_is_told(void)
{
	leat_ctx *c = leat_ctx_with_cancel(ctx);

	chan_recv(leat_ctx_done(c));
	write_last();
	leat_ctx_free(c);
}

ORDERED(cancel_then_done_of_one_made_below)
{
	before(makes_below_and_is_told);
}

static void makes_below_and_does_not_ask(void)
{
	leat_ctx *c = leat_ctx_with_cancel(ctx);

	write_last();
	leat_ctx_free(c);
}

RACES(cancel_and_who_makes_one_below)
{
	before(makes_below_and_does_not_ask);
}

static void is_told(void)
{
	chan_recv(leat_ctx_done(ctx));
	write_last();
}

static void is_told_below(void)
{
	chan_recv(leat_ctx_done(below));
	write_last();
}

ORDERED(cancel_then_done)
{
	before(is_told);
}

ORDERED(cancel_then_done_below)
{
	before(is_told_below);
}

static void while_it_waits(void (*waits)(void))
{
	begin();
	go0(waits);
	await_parked(1);
	go0(writes_and_cancels);
	await_last();
}

ORDERED(cancel_while_one_waits)
{
	while_it_waits(is_told);
}

ORDERED(cancel_while_one_waits_below)
{
	while_it_waits(is_told_below);
}

/* --- deadlines: who set it comes before who finds it over */

/* From one to the other, without an order. */
static leat_ctx *_Atomic in_hand;

static void hand(leat_ctx *c)
{
	atomic_store_explicit(&in_hand, c, memory_order_relaxed);
}

static leat_ctx *handed(void)
{
	return atomic_load_explicit(&in_hand, memory_order_relaxed);
}

static void sets_a_deadline(void)
{
	leat_ctx *c;

	write_shared();
	c = leat_ctx_with_timeout(ctx, LEAT_MILLISECOND);
	hand(c);
	chan_recv(leat_ctx_done(c));
	reach(1);
	await(99);
}

static void finds_it_over(void)
{
	await(1);
	MUST(leat_ctx_err(handed()) == -ETIMEDOUT);
	write_last();
}

ORDERED(deadline_then_err)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(sets_a_deadline);
	go0(finds_it_over);
	await_last();
}

static void makes_one_that_is_over(void)
{
	write_shared();
	hand(leat_ctx_with_timeout(ctx, 0));
	reach(1);
	await(99);
}

ORDERED(deadline_that_is_over_then_err)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(makes_one_that_is_over);
	go0(finds_it_over);
	await_last();
}

/* In whose time the clock goes off does not matter.  (On a busy machine that may be early.) */
static void is_told_of_the_deadline(void)
{
	chan_recv(leat_ctx_done(ctx));
	MUST(leat_ctx_err(ctx) == -ETIMEDOUT);
	await(1);
	write_last();
}

static void runs_meanwhile(void)
{
	write_shared();
	reach(1);
	await(99);
}

RACES(deadline_while_another_runs)
{
	ctx = leat_ctx_with_timeout(leat_ctx_background(), 20 * LEAT_MILLISECOND);
	go0(is_told_of_the_deadline);
	leat_yield();
	go0(runs_meanwhile);
	await_last();
}

static void sees_that_it_is_over(void)
{
	while (!leat_ctx_err(ctx))
		let_others();
	await(1);
	write_last();
}

RACES(deadline_that_is_seen_while_another_runs)
{
	ctx = leat_ctx_with_timeout(leat_ctx_background(), 20 * LEAT_MILLISECOND);
	go0(sees_that_it_is_over);
	go0(runs_meanwhile);
	await_last();
}

/* --- a function when done */

static void function(void *arg)
{
	(void)arg;
	write_last();
}

ORDERED(cancel_then_function)
{
	begin();
	leat_ctx_after_func(ctx, &after, function, NULL);
	go0(writes_and_cancels);
	await_last();
}

static void arms(void)
{
	write_shared();
	leat_ctx_after_func(ctx, &after, function, NULL);
	reach(1);
	await(99);
}

static void cancels(void)
{
	await(1);
	leat_ctx_cancel(ctx);
}

ORDERED(arming_then_function)
{
	begin();
	go0(arms);
	go0(cancels);
	await_last();
}

static void arms_what_is_done(void)
{
	leat_ctx_after_func(ctx, &after, function, NULL);
}

ORDERED(cancel_then_function_at_once)
{
	before(arms_what_is_done);
}

static void does_nothing(void *arg)
{
	(void)arg;
}

static void arms_then_writes(void)
{
	leat_ctx_after_func(ctx, &after, does_nothing, NULL);
	write_last();
}

RACES(cancel_and_who_arms_what_is_done)
{
	before(arms_then_writes);
}

ORDERED(arming_what_is_done_then_function)
{
	begin();
	leat_ctx_cancel(ctx);
	go0(arms);
	await_last();
}

ORDERED(deadline_then_function)
{
	ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	write_shared();
	leat_ctx_after_func(ctx, &after, function, NULL);
	await_last();
}

static void writes_in_function(void *arg)
{
	(void)arg;
	write_shared();
	reach(1);
	await(99);
}

static void cancels_then_writes(void)
{
	leat_ctx_cancel(ctx);
	await(1);
	write_last();
}

RACES(function_and_the_cancel)
{
	begin();
	leat_ctx_after_func(ctx, &after, writes_in_function, NULL);
	go0(cancels_then_writes);
	await_last();
}

static void function_of_the_deadline(void *arg)
{
	(void)arg;
	await(1);
	write_last();
}

RACES(function_after_a_deadline_while_another_runs)
{
	ctx = leat_ctx_with_timeout(leat_ctx_background(), 20 * LEAT_MILLISECOND);
	leat_ctx_after_func(ctx, &after, function_of_the_deadline, NULL);
	go0(runs_meanwhile);
	await_last();
}

/* --- using one together */

static void uses(void)
{
	leat_ctx_after a;
	leat_ctx *c;
	char text[100];

	MUST(leat_ctx_err(ctx) == 0 && leat_ctx_error(ctx) == NULL && leat_ctx_cause(ctx) == NULL);
	MUST(leat_ctx_done(ctx));
	MUST(*ctx_value(ctx, number) == 7);
	leat_ctx_deadline(ctx, NULL);
	leat_ctx_string(ctx, text, sizeof text);
	c = leat_ctx_with_timeout(ctx, LEAT_HOUR);
	leat_ctx_after_func(c, &a, function, NULL);
	MUST(leat_ctx_after_stop(&a));
	leat_ctx_free(c);
	leat_ctx_after_func(ctx, &a, function, NULL);
	MUST(leat_ctx_after_stop(&a));
}

static void uses_first(void)
{
	write_shared();
	uses();
	reach(1);
	await(99);
}

static void uses_second(void)
{
	await(1);
	uses();
	write_last();
}

RACES(using_it)
{
	int seven = 7;

	begin();
	ctx = ctx_with_value(ctx, number, &seven);
	go0(uses_first);
	go0(uses_second);
	await_last();
}

/* The first that asks for the channel makes it; that is nobody's business. */
static void asks_for_the_channel(void)
{
	write_shared();
	MUST(leat_ctx_done(ctx));
	reach(1);
	await(99);
}

static void is_told_when_reached(void)
{
	await(1);
	is_told();
}

RACES(done_of_one_that_is_done)
{
	begin();
	leat_ctx_cancel(ctx);
	go0(asks_for_the_channel);
	go0(is_told_when_reached);
	await_last();
}

static void waits_then_writes(void)
{
	write_shared();
	chan_recv(leat_ctx_done(ctx));
	reach(1);
	await(99);
}

static void cancels_and_writes(void)
{
	leat_ctx_cancel(ctx);
	write_last();
}

RACES(wait_that_a_cancel_ends)
{
	begin();
	go0(waits_then_writes);
	await_parked(1);
	go0(cancels_and_writes);
	await_last();
}

/* --- custom */

static chan(leat_empty) own_done;
static atomic_int own_err;

static recv_chan(leat_empty) done_of(void *self)
{
	(void)self;
	return chan_receiver(own_done);
}

static int err_of(void *self)
{
	(void)self;
	return atomic_load_explicit(&own_err, memory_order_relaxed);
}

static const leat_ctx_ops ops = {.name = "own", .done = done_of, .err = err_of};

static void closes_its_own(void)
{
	write_shared();
	atomic_store_explicit(&own_err, -ECANCELED, memory_order_relaxed);
	chan_close(own_done);
}

ORDERED(custom_then_below)
{
	own_done = chan_make(leat_empty, 0);
	ctx = leat_ctx_custom(leat_ctx_background(), &ops, NULL);
	below = leat_ctx_with_cancel(ctx);
	go0(is_told_below);
	await_parked(2);
	go0(closes_its_own);
	await_last();
}
