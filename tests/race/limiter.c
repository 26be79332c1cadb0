/* SPDX-License-Identifier: MIT */
/* Limiters: to be let pass orders nothing, whoever was let pass before.  A cancel comes before what follows from the
   wait that it ended. */
#include "race.h"

#include <errno.h>

static leat_limiter limiter;
static leat_reservation reservation;
static leat_ctx *ctx;

/* --- what orders nothing */

static void passes_first(void)
{
	write_shared();
	MUST(leat_limiter_allow(&limiter));
	reach(1);
	await(99);
}

static void passes_second(void)
{
	await(1);
	MUST(leat_limiter_allow(&limiter));
	write_last();
}

RACES(two_who_are_let_pass)
{
	leat_limiter_init(&limiter, 1, 2);
	go0(passes_first);
	go0(passes_second);
	await_last();
}

static void waits_first(void)
{
	MUST(leat_limiter_wait(&limiter) == 0);
	write_shared();
	reach(1);
	await(99);
}

static void waits_second(void)
{
	await(1);
	MUST(leat_limiter_wait(&limiter) == 0);
	write_last();
}

RACES(two_who_wait_for_their_turns)
{
	leat_limiter_init(&limiter, 200, 1);
	MUST(leat_limiter_allow(&limiter));
	go0(waits_first);
	go0(waits_second);
	await_last();
}

/* In whose time a turn comes does not matter. */
static void waits_meanwhile(void)
{
	MUST(leat_limiter_wait(&limiter) == 0);
	await(1);
	write_last();
}

static void runs_meanwhile(void)
{
	write_shared();
	reach(1);
	await(99);
}

RACES(turn_that_comes_while_another_runs)
{
	leat_limiter_init(&limiter, 50, 1);
	MUST(leat_limiter_allow(&limiter));
	go0(waits_meanwhile);
	leat_yield();
	go0(runs_meanwhile);
	await_last();
}

static void gives_back(void)
{
	write_shared();
	leat_reservation_cancel(&reservation);
	reach(1);
	await(99);
}

RACES(token_that_was_given_back)
{
	leat_limiter_init(&limiter, 0.001, 2);
	MUST(leat_limiter_allow_n(&limiter, 2));
	reservation = leat_limiter_reserve_n(&limiter, 2);
	leat_limiter_set_burst(&limiter, 1);
	leat_limiter_set_rate(&limiter, LEAT_LIMITER_INF);
	go0(gives_back);
	go0(passes_second);
	await_last();
}

/* --- a context */

static void writes_and_cancels(void)
{
	write_shared();
	leat_ctx_cancel(ctx);
	reach(1);
}

static void is_refused(void)
{
	MUST(leat_limiter_wait_ctx(&limiter, ctx) == -ECANCELED);
	write_last();
}

ORDERED(cancel_then_a_wait_for_a_turn)
{
	leat_limiter_init(&limiter, 1, 1);
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(writes_and_cancels);
	await(1);
	go0(is_refused);
	await_last();
}

ORDERED(cancel_while_one_waits_for_his_turn)
{
	leat_limiter_init(&limiter, 0.001, 1);
	MUST(leat_limiter_allow(&limiter));
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(is_refused);
	await_parked(1);
	go0(writes_and_cancels);
	await_last();
}

static void has_his_turn(void)
{
	MUST(leat_limiter_wait_ctx(&limiter, ctx) == 0);
	reach(2);
	await(3);
	write_last();
}

static void cancels_too_late(void)
{
	await(2);
	write_shared();
	leat_ctx_cancel(ctx);
	reach(3);
	await(99);
}

RACES(cancel_after_the_turn)
{
	leat_limiter_init(&limiter, 200, 1);
	MUST(leat_limiter_allow(&limiter));
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(has_his_turn);
	go0(cancels_too_late);
	await_last();
}
