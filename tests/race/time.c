/* SPDX-License-Identifier: MIT */
/* Timers and tickers: setting one before what it brings about.  When and where it goes off orders nothing. */
#include "race.h"

static leat_timer *timer;
static leat_ticker *ticker;

/* --- the value */

static void receives(void)
{
	chan_recv(leat_timer_chan(timer));
	write_last();
}

static void resets(void)
{
	write_shared();
	leat_timer_reset(timer, LEAT_MILLISECOND);
	reach(1);
	await(99);
}

ORDERED(reset_while_one_waits)
{
	timer = leat_timer_new(LEAT_HOUR);
	go0(receives);
	await_parked(1);
	go0(resets);
	await_last();
}

ORDERED(reset_then_receive)
{
	timer = leat_timer_new(LEAT_HOUR);
	go0(resets);
	await(1);
	leat_sleep(2 * LEAT_MILLISECOND);
	go0(receives);
	await_last();
}

/* From one to the other, without an order. */
static leat_timer *_Atomic in_hand;

static void makes(void)
{
	write_shared();
	atomic_store_explicit(&in_hand, leat_timer_new(0), memory_order_relaxed);
	reach(1);
	await(99);
}

static void receives_from_it(void)
{
	chan_recv(leat_timer_chan(atomic_load_explicit(&in_hand, memory_order_relaxed)));
	write_last();
}

ORDERED(new_then_receive)
{
	go0(makes);
	await(1);
	go0(receives_from_it);
	await_last();
}

static void selects(void)
{
	chan_select {
		case_recv(leat_timer_chan(timer))
			;
	}
	write_last();
}

ORDERED(reset_while_one_selects)
{
	timer = leat_timer_new(LEAT_HOUR);
	go0(selects);
	await_parked(1);
	go0(resets);
	await_last();
}

static void receives_tick(void)
{
	chan_recv(leat_ticker_chan(ticker));
	write_last();
}

static void resets_ticker(void)
{
	write_shared();
	leat_ticker_reset(ticker, LEAT_MILLISECOND);
}

ORDERED(reset_of_a_ticker)
{
	ticker = leat_ticker_new(LEAT_HOUR);
	go0(receives_tick);
	await_parked(1);
	go0(resets_ticker);
	await_last();
}

/* --- the function */

static void function(void *arg)
{
	(void)arg;
	write_last();
}

ORDERED(after_func)
{
	write_shared();
	timer = leat_after_func(LEAT_MILLISECOND, function, NULL);
	await_last();
}

ORDERED(reset_of_a_function)
{
	timer = leat_after_func(LEAT_HOUR, function, NULL);
	go0(resets);
	await_last();
}

/* Freed, and its memory used for another, when the function has been started but has not run. */
ORDERED(after_func_that_is_freed_at_once)
{
	bool fired;

	do {
		write_shared();
		timer = leat_after_func(0, function, NULL);
		for (int i = 0; i < 1000 && leat_num_goroutine() < 2; i++)
			leat_sleep(1);
		fired = !leat_timer_stop(timer);
		leat_timer_free(timer);
		timer = leat_after_func(LEAT_HOUR, function, NULL);
	} while (!fired);
	await_last();
}

static void sets_it_early(void)
{
	write_shared();
	leat_timer_reset(timer, LEAT_HOUR);
	reach(1);
	await(99);
}

static void sets_it_again(void)
{
	await(1);
	leat_timer_reset(timer, 0);
}

RACES(reset_that_brought_nothing_about)
{
	timer = leat_after_func(LEAT_HOUR, function, NULL);
	go0(sets_it_early);
	go0(sets_it_again);
	await_last();
}

/* --- what orders nothing */

static atomic_bool ran;

static void runs_meanwhile(void)
{
	write_shared();
	atomic_store_explicit(&ran, true, memory_order_relaxed);
	await(99);
}

/* On a loaded machine the time may be over before the other has run at all. */
static void await_both(void)
{
	while (!atomic_load_explicit(&ran, memory_order_relaxed))
		let_others();
	await_last();
}

RACES(value_while_another_runs)
{
	timer = leat_timer_new(20 * LEAT_MILLISECOND);
	go0(receives);
	leat_yield();
	go0(runs_meanwhile);
	await_both();
}

RACES(function_while_another_runs)
{
	timer = leat_after_func(20 * LEAT_MILLISECOND, function, NULL);
	go0(runs_meanwhile);
	await_both();
}

static void stops_first(void)
{
	write_shared();
	leat_timer_stop(timer);
	reach(1);
	await(99);
}

static void stops_second(void)
{
	await(1);
	leat_timer_stop(timer);
	write_last();
}

RACES(stop)
{
	timer = leat_timer_new(LEAT_HOUR);
	go0(stops_first);
	go0(stops_second);
	await_last();
}

static void resets_when_reached(void)
{
	await(1);
	leat_timer_reset(timer, LEAT_HOUR);
	write_last();
}

RACES(two_resets)
{
	timer = leat_timer_new(LEAT_HOUR);
	go0(resets);
	go0(resets_when_reached);
	await_last();
}

static void waits_in_vain(void)
{
	write_shared();
	chan_select {
		case_recv(leat_timer_chan(timer))
			;
		case_timeout(LEAT_MILLISECOND)
			;
	}
	reach(1);
	await(99);
}

static void receives_when_reached(void)
{
	await(1);
	leat_timer_reset(timer, 0);
	receives();
}

RACES(two_who_waited)
{
	timer = leat_timer_new(LEAT_HOUR);
	go0(waits_in_vain);
	go0(receives_when_reached);
	await_last();
}

static void sleeps(void)
{
	leat_sleep(20 * LEAT_MILLISECOND);
	write_last();
}

RACES(sleep_while_another_runs)
{
	go0(sleeps);
	go0(runs_meanwhile);
	await_both();
}
