/* SPDX-License-Identifier: MIT */
/*
 * Channels: the k-th send happens before the k-th receive completes, the k-th receive before the
 * (k + capacity)-th send completes, a close before the receive that returns because of it.  Nothing else.
 */
#include "race.h"

static chan(int) c;
static chan(leat_empty) events;

/* --- a send before its receive */

static void writes_then_sends(void)
{
	write_shared();
	chan_send(c, 1);
}

static void receives_then_writes(void)
{
	MUST(chan_recv(c) == 1);
	write_last();
}

static void one_value(ptrdiff_t cap, void (*who_parks)(void), void (*other)(void))
{
	c = chan_make(int, cap);
	go0(who_parks);
	await_parked(1);
	go0(other);
	await_last();
}

ORDERED(send_to_one_who_waits)
{
	one_value(0, receives_then_writes, writes_then_sends);
}

ORDERED(send_by_one_who_waits)
{
	one_value(0, writes_then_sends, receives_then_writes);
}

ORDERED(buffered_send_to_one_who_waits)
{
	one_value(3, receives_then_writes, writes_then_sends);
}

ORDERED(buffered_send)
{
	c = chan_make(int, 3);
	go0(writes_then_sends);
	await_left(1);
	go0(receives_then_writes);
	await_last();
}

static void fills_then_sends(void)
{
	chan_send(c, 0);
	write_shared();
	chan_send(c, 1);
}

static void receives_both(void)
{
	MUST(chan_recv(c) == 0);
	receives_then_writes();
}

ORDERED(buffered_send_by_one_who_waits)
{
	one_value(1, fills_then_sends, receives_both);
}

/* --- a receive before the completion of its send */

static void writes_then_receives(void)
{
	write_shared();
	chan_recv(c);
}

static void sends_then_writes(void)
{
	chan_send(c, 1);
	write_last();
}

ORDERED(receive_by_one_who_waits)
{
	one_value(0, writes_then_receives, sends_then_writes);
}

ORDERED(receive_from_one_who_waits)
{
	one_value(0, sends_then_writes, writes_then_receives);
}

/* A buffered one not: the room was there before. */
RACES(buffered_receive_by_one_who_waits)
{
	one_value(1, writes_then_receives, sends_then_writes);
}

static void writes_reaches_receives(void)
{
	write_shared();
	reach(1);
	chan_recv(c);
}

static void sends_when_reached(void)
{
	await(1);
	sends_then_writes();
}

RACES(buffered_receive_that_comes_first)
{
	c = chan_make(int, 1);
	go0(writes_reaches_receives);
	go0(sends_when_reached);
	await_last();
}

/* --- the k-th receive before the (k + capacity)-th send */

static void sends_twice_then_writes(void)
{
	chan_send(c, 1);
	chan_send(c, 2);
	write_last();
}

ORDERED(receive_then_send_into_its_place)
{
	c = chan_make(int, 1);
	chan_send(c, 1);
	go0(writes_then_receives);
	await_left(1);
	go0(sends_then_writes);
	await_last();
}

ORDERED(receive_lets_go_on_one_who_waits)
{
	one_value(1, sends_twice_then_writes, writes_then_receives);
}

/* The second send is ordered after a receive whose goroutine may not have run since it was served. */
ORDERED(receive_by_one_who_waits_then_a_second_send)
{
	one_value(1, writes_then_receives, sends_twice_then_writes);
}

static void receives_also(void)
{
	chan_recv(c);
}

ORDERED(receives_by_two_who_wait_then_two_more_sends)
{
	c = chan_make(int, 2);
	go0(receives_also);
	await_parked(1);
	go0(writes_then_receives);
	await_parked(2);
	chan_send(c, 1);
	chan_send(c, 2);
	chan_send(c, 3);
	chan_send(c, 4);
	write_shared();
}

/* As many sends less one are not. */
RACES(receives_by_two_who_wait_then_one_more_send)
{
	c = chan_make(int, 2);
	go0(receives_also);
	await_parked(1);
	go0(writes_then_receives);
	await_parked(2);
	chan_send(c, 1);
	chan_send(c, 2);
	chan_send(c, 3);
	write_shared();
}

static void receives_one_then_writes(void)
{
	MUST(chan_recv(c) == 0);
	write_last();
}

/* The send that had to wait comes before the second receive, not before the one that made room. */
RACES(buffered_send_by_one_who_waits_and_the_receive_before)
{
	one_value(1, fills_then_sends, receives_one_then_writes);
}

ORDERED(channel_as_a_lock)
{
	c = chan_make(int, 1);
	go0(fills_then_sends);
	for (int i = 0; i < 2; i++)
		chan_recv(c);
	write_shared();
}

/* --- two of the same kind */

static void sends_first(void)
{
	write_shared();
	chan_send(c, 1);
	reach(1);
	await(99);
}

RACES(two_sends)
{
	c = chan_make(int, 2);
	go0(sends_first);
	go0(sends_when_reached);
	await_last();
}

static void receives_first(void)
{
	write_shared();
	chan_recv(c);
	reach(1);
	await(99);
}

static void receives_when_reached(void)
{
	await(1);
	chan_recv(c);
	write_last();
}

RACES(two_receives)
{
	c = chan_make(int, 2);
	chan_send(c, 1);
	chan_send(c, 2);
	go0(receives_first);
	go0(receives_when_reached);
	await_last();
}

RACES(two_receives_by_those_who_wait)
{
	c = chan_make(int, 2);
	go0(writes_then_receives);
	await_parked(1);
	go0(receives_then_writes);
	await_parked(2);
	chan_send(c, 1);
	chan_send(c, 1);
	await_last();
}

/* --- without waiting, and asking */

static void tries_to_send(void)
{
	write_shared();
	MUST(chan_try_send(c, 1));
}

static void tries_to_receive(void)
{
	int v;

	while (!chan_try_recv(c, &v, NULL))
		let_others();
	write_last();
}

ORDERED(try_send_and_try_receive)
{
	c = chan_make(int, 1);
	go0(tries_to_receive);
	go0(tries_to_send);
	await_last();
}

static void fails_to_send(void)
{
	await(1);
	MUST(!chan_try_send(c, 1));
	write_last();
}

RACES(try_send_that_fails)
{
	c = chan_make(int, 1);
	go0(sends_first);
	go0(fails_to_send);
	await_last();
}

static void fails_to_receive(void)
{
	await(1);
	MUST(!chan_try_recv(c, NULL, NULL));
	write_last();
}

RACES(try_receive_that_fails)
{
	c = chan_make(int, 1);
	chan_send(c, 1);
	go0(receives_first);
	go0(fails_to_receive);
	await_last();
}

static void asks(void)
{
	await(1);
	MUST(chan_len(c) == 1);
	MUST(chan_cap(c) == 1);
	write_last();
}

RACES(len_and_cap)
{
	c = chan_make(int, 1);
	go0(sends_first);
	go0(asks);
	await_last();
}

/* --- close */

static void writes_then_closes(void)
{
	write_shared();
	chan_close(c);
	reach(1);
}

static void sees_the_end(void)
{
	MUST(chan_recv(c) == 0);
	write_last();
}

ORDERED(close_while_one_waits)
{
	one_value(0, sees_the_end, writes_then_closes);
}

ORDERED(close_of_a_buffered_one_while_one_waits)
{
	one_value(2, sees_the_end, writes_then_closes);
}

static void close_first(void (*then)(void))
{
	c = chan_make(int, 0);
	go0(writes_then_closes);
	await_left(1);
	go0(then);
	await_last();
}

ORDERED(close_then_receive)
{
	close_first(sees_the_end);
}

static void ranges(void)
{
	chan_range(v, c)
		MUST(v > 0);
	write_last();
}

ORDERED(close_then_range)
{
	close_first(ranges);
}

static void tries_the_end(void)
{
	bool ok = true;

	MUST(chan_try_recv(c, NULL, &ok) && !ok);
	write_last();
}

ORDERED(close_then_try_receive)
{
	close_first(tries_the_end);
}

static void selects_the_end(void)
{
	chan_select {
		case_recv(c, v, ok)
			MUST(!ok && v == 0);
	}
	write_last();
}

ORDERED(close_then_select)
{
	close_first(selects_the_end);
}

ORDERED(close_while_one_selects)
{
	one_value(0, selects_the_end, writes_then_closes);
}

static void writes_then_sees_the_end(void)
{
	write_shared();
	MUST(chan_recv(c) == 0);
}

static void closes_then_writes(void)
{
	chan_close(c);
	write_last();
}

RACES(receive_that_a_close_ends)
{
	one_value(0, writes_then_sees_the_end, closes_then_writes);
}

static void gets_a_value(void)
{
	await(1);
	MUST(chan_recv(c) == 7);
	write_last();
}

RACES(close_and_a_receive_of_a_value)
{
	c = chan_make(int, 1);
	chan_send(c, 7);
	go0(writes_then_closes);
	go0(gets_a_value);
	await_last();
}

static void asks_after_close(void)
{
	await(1);
	MUST(chan_len(c) == 0);
	write_last();
}

RACES(close_and_len)
{
	c = chan_make(int, 1);
	go0(writes_then_closes);
	go0(asks_after_close);
	await_last();
}

/* --- elements without size: places in the buffer all the same */

static void signals(void)
{
	write_shared();
	chan_send(events, (leat_empty){});
	reach(1);
	await(99);
}

static void is_signalled(void)
{
	chan_recv(events);
	write_last();
}

ORDERED(event)
{
	events = chan_make(leat_empty, 2);
	go0(signals);
	go0(is_signalled);
	await_last();
}

static void signals_second(void)
{
	await(1);
	chan_send(events, (leat_empty){});
	write_last();
}

RACES(two_events)
{
	events = chan_make(leat_empty, 2);
	go0(signals);
	go0(signals_second);
	await_last();
}

/* --- what a channel carries */

static void fills_a_block(void)
{
	chan(char *) blocks = (chan(char *))(void *)c;
	char *block = malloc(100);

	memset(block, 1, 100);
	chan_send(blocks, block);
}

ORDERED(pointer)
{
	chan(char *) blocks = chan_make(char *, 1);
	char *block;

	c = (chan(int))(void *)blocks;
	go0(fills_a_block);
	block = chan_recv(blocks);
	MUST(block[99] == 1);
	block[99] = 2;
	free(block);
	chan_free(blocks);
}
