/* SPDX-License-Identifier: MIT */
/* What a wait comes after: that of a cond, a once, a semaphore and a flight, and those that a context may end. */
#include "race.h"

#include <errno.h>

static leat_ctx *ctx;

/* --- cond: a signal before the return of the wait that it ends */

static leat_mutex m;
static leat_cond cond;

static void waits_for_a_signal(void)
{
	leat_mutex_lock(&m);
	leat_cond_wait(&cond, &m);
	write_last();
	leat_mutex_unlock(&m);
}

static void writes_and_signals(void)
{
	write_shared();
	leat_cond_signal(&cond);
}

static void writes_and_broadcasts(void)
{
	write_shared();
	leat_cond_broadcast(&cond);
}

static void while_one_waits(void (*who)(void), void (*other)(void))
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(who);
	await_parked(1);
	go0(other);
	await_last();
}

ORDERED(signal_to_one_who_waits)
{
	while_one_waits(waits_for_a_signal, writes_and_signals);
}

ORDERED(broadcast_to_a_cond)
{
	while_one_waits(waits_for_a_signal, writes_and_broadcasts);
}

static void waits_for_a_signal_with_a_context(void)
{
	leat_mutex_lock(&m);
	MUST(leat_cond_wait_ctx(&cond, &m, ctx) == 0);
	write_last();
	leat_mutex_unlock(&m);
}

ORDERED(signal_to_one_with_a_context)
{
	while_one_waits(waits_for_a_signal_with_a_context, writes_and_signals);
}

static chan(int) channel;

static void selects_a_signal(void)
{
	leat_mutex_lock(&m);
	chan_select {
		case_recv(channel, v)
			MUST(v < 0);
		case_cond(&cond, &m)
			write_last();
	}
	leat_mutex_unlock(&m);
}

ORDERED(signal_to_a_select)
{
	channel = chan_make(int, 1);
	while_one_waits(selects_a_signal, writes_and_signals);
}

static void writes_and_waits(void)
{
	leat_mutex_lock(&m);
	write_shared();
	leat_cond_wait(&cond, &m);
	reach(1);
	await(99);
	leat_mutex_unlock(&m);
}

static void signals_and_writes(void)
{
	leat_cond_signal(&cond);
	write_last();
}

RACES(wait_then_signal)
{
	while_one_waits(writes_and_waits, signals_and_writes);
}

/* --- once: the end of fn before the return of every call */

static leat_once once;

static void writes_in_fn(void *arg)
{
	(void)arg;
	write_shared();
}

static void writes_in_fn_once_another_waits(void *arg)
{
	(void)arg;
	await_parked(1);
	write_shared();
}

static void nothing(void *arg)
{
	(void)arg;
	reach(1);
}

static void does_it(void)
{
	leat_once_do(&once, writes_in_fn, NULL);
}

static void comes_later(void)
{
	leat_once_do(&once, nothing, NULL);
	write_last();
}

ORDERED(once_then_another_call)
{
	go0(does_it);
	await_left(1);
	go0(comes_later);
	await_last();
}

static void does_it_slowly(void)
{
	reach(1);
	leat_once_do(&once, writes_in_fn_once_another_waits, NULL);
}

ORDERED(once_while_another_call_waits)
{
	go0(does_it_slowly);
	await(1);
	leat_yield();
	go0(comes_later);
	await_last();
}

static void *writes_value(void *arg)
{
	write_shared();
	return arg;
}

static leat_once_value value = LEAT_ONCE_VALUE(writes_value, &value);

static void gets_first(void)
{
	MUST(leat_once_value_get(&value) == &value);
}

static void gets_second(void)
{
	MUST(leat_once_value_get(&value) == &value);
	write_last();
}

ORDERED(once_value)
{
	go0(gets_first);
	await_left(1);
	go0(gets_second);
	await_last();
}

static void calls_and_writes(void)
{
	leat_once_do(&once, nothing, NULL);
	write_shared();
	reach(2);
	leat_once_do(&once, nothing, NULL);
	reach(3);
	await(99);
}

static void calls_third(void)
{
	await(3);
	comes_later();
}

RACES(two_later_calls_of_once)
{
	leat_once_do(&once, nothing, NULL);
	go0(calls_and_writes);
	go0(calls_third);
	await_last();
}

/* --- semaphore: a release before the acquires that are granted after it */

static leat_semaphore semaphore = LEAT_SEMAPHORE(2);

static void writes_and_releases(void)
{
	write_shared();
	leat_semaphore_release(&semaphore, 2);
}

static void acquires(void)
{
	leat_semaphore_acquire(&semaphore, 2);
	write_last();
}

static void tries_to_acquire(void)
{
	MUST(leat_semaphore_tryacquire(&semaphore, 2));
	write_last();
}

static void acquires_with_a_context(void)
{
	MUST(leat_semaphore_acquire_ctx(&semaphore, 2, ctx) == 0);
	write_last();
}

static void release_then(void (*who)(void))
{
	leat_semaphore_acquire(&semaphore, 2);
	go0(writes_and_releases);
	await_left(1);
	go0(who);
	await_last();
}

ORDERED(release_then_acquire)
{
	release_then(acquires);
}

ORDERED(release_then_tryacquire)
{
	release_then(tries_to_acquire);
}

ORDERED(release_while_one_waits)
{
	leat_semaphore_acquire(&semaphore, 2);
	while_one_waits(acquires, writes_and_releases);
}

ORDERED(release_while_one_waits_with_a_context)
{
	leat_semaphore_acquire(&semaphore, 2);
	while_one_waits(acquires_with_a_context, writes_and_releases);
}

static void acquires_first(void)
{
	write_shared();
	leat_semaphore_acquire(&semaphore, 1);
	reach(1);
	await(99);
}

static void acquires_second(void)
{
	await(1);
	leat_semaphore_acquire(&semaphore, 1);
	write_last();
}

RACES(two_acquires)
{
	go0(acquires_first);
	go0(acquires_second);
	await_last();
}

static void fails_to_acquire(void)
{
	await(1);
	MUST(!leat_semaphore_tryacquire(&semaphore, 2));
	write_last();
}

RACES(failed_tryacquire)
{
	go0(acquires_first);
	go0(fails_to_acquire);
	await_last();
}

/* --- a flight: what fn did before the return of each call */

static leat_singleflight group;

static int writes_when_another_waits(void *arg, void **result)
{
	*result = arg;
	reach(1);
	await_parked(1);
	write_shared();
	return 0;
}

static int does_not_run(void *arg, void **result)
{
	*result = arg;
	MUST(!arg);
	return 0;
}

static void flies(void)
{
	leat_singleflight_do(&group, "key", writes_when_another_waits, &group, NULL);
}

static void rides(void)
{
	leat_singleflight_result result;

	await(1);
	leat_singleflight_do(&group, "key", does_not_run, &group, &result);
	MUST(result.value == &group && result.shared);
	write_last();
}

ORDERED(flight_then_rider)
{
	go0(flies);
	go0(rides);
	await_last();
}

ORDERED(flight_then_channel)
{
	recv_chan(leat_singleflight_result) c =
	    leat_singleflight_do_chan(&group, "key", writes_when_another_waits, &group);

	MUST(chan_recv(c).value == &group);
	write_last();
}

static int writes_last_when_another_waits(void *arg, void **result)
{
	*result = arg;
	reach(1);
	await_parked(1);
	write_last();
	return 0;
}

static void flies_and_writes_last(void)
{
	leat_singleflight_do(&group, "key", writes_last_when_another_waits, NULL, NULL);
}

static void writes_and_rides(void)
{
	await(1);
	write_shared();
	leat_singleflight_do(&group, "key", does_not_run, &group, NULL);
}

RACES(rider_and_flight)
{
	go0(flies_and_writes_last);
	go0(writes_and_rides);
	await_last();
}

/* --- a mutex and a wait group, with a context */

static void locks_with_a_context(void)
{
	MUST(leat_mutex_lock_ctx(&m, ctx) == 0);
	write_last();
	leat_mutex_unlock(&m);
}

static void writes_and_unlocks(void)
{
	write_shared();
	leat_mutex_unlock(&m);
}

ORDERED(unlock_while_one_waits_with_a_context)
{
	leat_mutex_lock(&m);
	while_one_waits(locks_with_a_context, writes_and_unlocks);
}

ORDERED(unlock_then_lock_with_a_context)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_mutex_lock(&m);
	go0(writes_and_unlocks);
	await_left(1);
	go0(locks_with_a_context);
	await_last();
}

static void fails_to_lock_with_a_context(void)
{
	await(1);
	MUST(leat_mutex_lock_ctx(&m, ctx) == -ECANCELED);
	write_last();
}

static void holds_it(void)
{
	leat_mutex_lock(&m);
	write_shared();
	reach(1);
	await(99);
	leat_mutex_unlock(&m);
}

RACES(lock_that_is_given_up)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(holds_it);
	go0(fails_to_lock_with_a_context);
	await_parked(1);
	leat_ctx_cancel(ctx);
	await_last();
}

static leat_waitgroup wg;

static void writes_and_is_done(void)
{
	write_shared();
	leat_waitgroup_done(&wg);
}

static void waits_with_a_context(void)
{
	MUST(leat_waitgroup_wait_ctx(&wg, ctx) == 0);
	write_last();
}

ORDERED(done_while_one_waits_with_a_context)
{
	leat_waitgroup_add(&wg, 1);
	while_one_waits(waits_with_a_context, writes_and_is_done);
}

static void stops_waiting(void)
{
	MUST(leat_waitgroup_wait_ctx(&wg, ctx) == -ECANCELED);
	write_last();
}

static void is_done_then_waits(void)
{
	writes_and_is_done();
	reach(1);
	await(99);
}

RACES(wait_for_a_group_that_is_given_up)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_waitgroup_add(&wg, 2);
	go0(stops_waiting);
	await_parked(1);
	go0(is_done_then_waits);
	await(1);
	leat_ctx_cancel(ctx);
	await_last();
}

/* --- a channel, with a context */

static void receives_with_a_context(void)
{
	int v;

	MUST(leat_chan_recv_ctx(LEAT__RAW(channel), &v, ctx) == 0);
	write_last();
}

static void writes_and_sends(void)
{
	write_shared();
	chan_send(channel, 1);
}

ORDERED(send_to_one_who_waits_with_a_context)
{
	channel = chan_make(int, 0);
	while_one_waits(receives_with_a_context, writes_and_sends);
}

ORDERED(buffered_send_to_one_who_waits_with_a_context)
{
	channel = chan_make(int, 1);
	while_one_waits(receives_with_a_context, writes_and_sends);
}

static void writes_and_receives_with_a_context(void)
{
	int v;

	write_shared();
	MUST(leat_chan_recv_ctx(LEAT__RAW(channel), &v, ctx) == 0);
	reach(1);
	await(99);
}

static void sends_and_writes(void)
{
	chan_send(channel, 1);
	write_last();
}

static void sends_twice_and_writes(void)
{
	chan_send(channel, 1);
	chan_send(channel, 2);
	write_last();
}

ORDERED(receive_by_one_who_waits_with_a_context)
{
	channel = chan_make(int, 0);
	while_one_waits(writes_and_receives_with_a_context, sends_and_writes);
}

RACES(buffered_receive_by_one_who_waits_with_a_context)
{
	channel = chan_make(int, 1);
	while_one_waits(writes_and_receives_with_a_context, sends_and_writes);
}

ORDERED(receive_by_one_who_waits_with_a_context_then_a_second_send)
{
	channel = chan_make(int, 1);
	while_one_waits(writes_and_receives_with_a_context, sends_twice_and_writes);
}
