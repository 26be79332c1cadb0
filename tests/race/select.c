/* SPDX-License-Identifier: MIT */
/* Select: the chosen case orders as its operation does, the others order nothing. */
#include "race.h"

static chan(int) a, b;

/* --- the chosen case */

static void selects_receive(void)
{
	chan_select {
		case_recv(a, v)
			MUST(v == 1);
		case_recv(b, v)
			MUST(v == 1);
	}
	write_last();
}

static void writes_then_sends(void)
{
	write_shared();
	chan_send(b, 1);
}

static void run(ptrdiff_t cap, void (*who_parks)(void), void (*other)(void))
{
	a = chan_make(int, cap);
	b = chan_make(int, cap);
	go0(who_parks);
	await_parked(1);
	go0(other);
	await_last();
}

ORDERED(receive_while_it_waits)
{
	run(0, selects_receive, writes_then_sends);
}

ORDERED(buffered_receive_while_it_waits)
{
	run(1, selects_receive, writes_then_sends);
}

ORDERED(receive_that_is_ready)
{
	run(0, writes_then_sends, selects_receive);
}

ORDERED(buffered_receive_that_is_ready)
{
	a = chan_make(int, 1);
	b = chan_make(int, 1);
	go0(writes_then_sends);
	await_left(1);
	go0(selects_receive);
	await_last();
}

static void selects_send(void)
{
	write_shared();
	chan_select {
		case_recv(a)
			MUST(false);
		case_send(b, 1)
			;
	}
}

static void receives_then_writes(void)
{
	MUST(chan_recv(b) == 1);
	write_last();
}

ORDERED(send_while_it_waits)
{
	run(0, selects_send, receives_then_writes);
}

ORDERED(send_that_is_ready)
{
	run(0, receives_then_writes, selects_send);
}

ORDERED(buffered_send_that_is_ready)
{
	run(1, receives_then_writes, selects_send);
}

static void writes_then_selects_receive(void)
{
	write_shared();
	chan_select {
		case_recv(a)
			MUST(false);
		case_recv(b)
			;
	}
	reach(1);
	await(99);
}

static void sends_then_writes(void)
{
	chan_send(b, 1);
	write_last();
}

ORDERED(receive_before_its_send_returns)
{
	run(0, writes_then_selects_receive, sends_then_writes);
}

RACES(buffered_receive_before_its_send_returns)
{
	run(1, writes_then_selects_receive, sends_then_writes);
}

static void sends_twice_then_writes(void)
{
	chan_send(b, 1);
	chan_send(b, 2);
	write_last();
}

ORDERED(buffered_receive_then_a_second_send)
{
	run(1, writes_then_selects_receive, sends_twice_then_writes);
}

static void selects_from_closed(void)
{
	chan_select {
		case_recv(a)
			MUST(false);
		case_recv(b, v, ok)
			MUST(!ok && v == 0);
	}
	write_last();
}

static void writes_then_closes(void)
{
	write_shared();
	chan_close(b);
}

ORDERED(close_while_it_waits)
{
	run(0, selects_from_closed, writes_then_closes);
}

static void writes_then_selects_from_closed(void)
{
	write_shared();
	chan_select {
		case_recv(a)
			MUST(false);
		case_recv(b, v, ok)
			MUST(!ok && v == 0);
	}
}

static void closes_then_writes(void)
{
	chan_close(b);
	write_last();
}

RACES(receive_that_a_close_ends)
{
	run(0, writes_then_selects_from_closed, closes_then_writes);
}

/* The form with an array. */
static void selects_array(void)
{
	int v = 0;
	const leat_case cases[] = {{(leat_chan *)(void *)a, LEAT_RECV, &v},
	                           {(leat_chan *)(void *)b, LEAT_RECV, &v}};

	MUST(leat_select(cases, 2, LEAT_FOREVER, NULL) == 1 && v == 1);
	write_last();
}

ORDERED(array)
{
	run(0, selects_array, writes_then_sends);
}

/* --- the other cases */

static void receives_from_a(void)
{
	chan_recv(a);
}

static void sends_to_b(void)
{
	chan_send(b, 1);
}

static void sends_to_a_then_writes(void)
{
	await(1);
	chan_send(a, 1);
	write_last();
}

/* It waited for a, too, then was served from b; who sends to a later met somebody else. */
static void waits_for_both(ptrdiff_t cap)
{
	a = chan_make(int, cap);
	b = chan_make(int, cap);
	go0(writes_then_selects_receive);
	await_parked(1);
	go0(sends_to_b);
	await(1);
	go0(receives_from_a);
	await_parked(1);
	go0(sends_to_a_then_writes);
	await_last();
}

RACES(receive_that_it_waited_for)
{
	waits_for_both(0);
}

RACES(buffered_receive_that_it_waited_for)
{
	waits_for_both(1);
}

static void sends_to_a_first(void)
{
	write_shared();
	chan_send(a, 1);
	reach(1);
	await(99);
}

static void selects_the_ready_one(void)
{
	await(1);
	chan_select {
		case_recv(b)
			;
		case_send(a, 1)
			MUST(false);
	}
	write_last();
}

RACES(send_that_was_not_ready)
{
	a = chan_make(int, 1);
	b = chan_make(int, 1);
	chan_send(b, 1);
	go0(sends_to_a_first);
	go0(selects_the_ready_one);
	await_last();
}

static _Alignas(64) int others;

static void sends_to_b_first(void)
{
	others++;
	chan_send(b, 1);
	reach(2);
	await(99);
}

/* Both are ready.  Whichever it takes, what the other came with is not ordered. */
static void selects_one_of_two(void)
{
	bool took_a = false;

	await(2);
	chan_select {
		case_recv(a)
			took_a = true;
		case_recv(b)
			;
	}
	if (took_a)
		others++;
	else
		write_shared();
	reach(100);
}

static void sends_to_a_early(void)
{
	write_shared();
	chan_send(a, 1);
	reach(1);
	await(99);
}

static void sends_to_b_next(void)
{
	await(1);
	sends_to_b_first();
}

RACES(receive_that_was_ready_too)
{
	a = chan_make(int, 1);
	b = chan_make(int, 1);
	go0(sends_to_a_early);
	go0(sends_to_b_next);
	go0(selects_one_of_two);
	await_last();
}

/* --- default and timeout */

static void selects_default(void)
{
	await(1);
	chan_select {
		case_send(a, 1)
			MUST(false);
		case_default
			;
	}
	write_last();
}

RACES(default_)
{
	a = chan_make(int, 1);
	go0(sends_to_a_first);
	go0(selects_default);
	await_last();
}

static void selects_timeout(void)
{
	await(1);
	chan_select {
		case_send(a, 1)
			MUST(false);
		case_timeout(LEAT_MILLISECOND)
			;
	}
	write_last();
}

RACES(timeout)
{
	a = chan_make(int, 1);
	go0(sends_to_a_first);
	go0(selects_timeout);
	await_last();
}

/* In whose time the clock goes off does not matter. */
static void yields(void)
{
	write_shared();
	await_last();
}

static void times_out(void)
{
	chan_select {
		case_recv(a)
			MUST(false);
		case_timeout(LEAT_MILLISECOND)
			;
	}
	write_last();
}

RACES(timeout_while_another_runs)
{
	a = chan_make(int, 0);
	go0(times_out);
	leat_yield();
	yields();
}
