/* SPDX-License-Identifier: MIT */
/* Mutex: an unlock before the next lock.  Wait group: a done before the wait that it releases. */
#include "race.h"

static leat_mutex m, other;
static leat_waitgroup wg;

/* --- mutex */

static void locks_and_writes(void)
{
	leat_mutex_lock(&m);
	write_shared();
	leat_mutex_unlock(&m);
}

static void locks_and_writes_last(void)
{
	leat_mutex_lock(&m);
	write_last();
	leat_mutex_unlock(&m);
}

ORDERED(unlock_then_lock)
{
	go0(locks_and_writes);
	await_left(1);
	go0(locks_and_writes_last);
	await_last();
}

ORDERED(unlock_while_one_waits)
{
	leat_mutex_lock(&m);
	go0(locks_and_writes_last);
	await_parked(1);
	write_shared();
	leat_mutex_unlock(&m);
	await_last();
}

/* Long enough for the lock to go from hand to hand. */
ORDERED(unlock_that_hands_over)
{
	leat_mutex_lock(&m);
	go0(locks_and_writes);
	await_parked(1);
	go0(locks_and_writes_last);
	await_parked(2);
	leat_sleep(2 * LEAT_MILLISECOND);
	write_shared();
	leat_mutex_unlock(&m);
	await_last();
}

static void tries_and_writes_last(void)
{
	while (!leat_mutex_trylock(&m))
		let_others();
	write_last();
	leat_mutex_unlock(&m);
}

ORDERED(unlock_then_trylock)
{
	go0(locks_and_writes);
	await_left(1);
	go0(tries_and_writes_last);
	await_last();
}

static void writes_with_lock(void)
{
	with_lock(&m);
	write_shared();
}

ORDERED(with_lock_then_lock)
{
	go0(writes_with_lock);
	await_left(1);
	go0(locks_and_writes_last);
	await_last();
}

static void writes_and_unlocks(void)
{
	write_shared();
	leat_mutex_unlock(&m);
}

ORDERED(unlock_by_another_goroutine)
{
	leat_mutex_lock(&m);
	go0(writes_and_unlocks);
	await_left(1);
	go0(locks_and_writes_last);
	await_last();
}

static void writes_locked(void)
{
	leat_mutex_lock(&m);
	write_shared();
	reach(1);
	await(99);
	leat_mutex_unlock(&m);
}

static void fails_to_lock(void)
{
	await(1);
	MUST(!leat_mutex_trylock(&m));
	write_last();
}

RACES(failed_trylock)
{
	go0(writes_locked);
	go0(fails_to_lock);
	await_last();
}

static void writes_unlocked(void)
{
	leat_mutex_lock(&m);
	leat_mutex_unlock(&m);
	write_shared();
	reach(1);
	await(99);
}

static void locks_when_reached(void)
{
	await(1);
	locks_and_writes_last();
}

RACES(write_after_unlock)
{
	go0(writes_unlocked);
	go0(locks_when_reached);
	await_last();
}

static void locks_the_other(void)
{
	await(1);
	leat_mutex_lock(&other);
	write_last();
	leat_mutex_unlock(&other);
}

static void locks_and_stays(void)
{
	locks_and_writes();
	reach(1);
	await(99);
}

RACES(two_mutexes)
{
	go0(locks_and_stays);
	go0(locks_the_other);
	await_last();
}

/* --- wait group */

static void writes_and_is_done(void)
{
	write_shared();
	leat_waitgroup_done(&wg);
}

static void waits(void)
{
	leat_waitgroup_wait(&wg);
	write_last();
}

ORDERED(done_then_wait)
{
	leat_waitgroup_add(&wg, 1);
	go0(writes_and_is_done);
	await_left(1);
	go0(waits);
	await_last();
}

ORDERED(done_while_one_waits)
{
	leat_waitgroup_add(&wg, 1);
	go0(waits);
	await_parked(1);
	go0(writes_and_is_done);
	await_last();
}

/* Not only the last one. */
ORDERED(each_done_before_the_wait)
{
	leat_waitgroup_add(&wg, 2);
	go0(waits);
	await_parked(1);
	go0(writes_and_is_done);
	await_left(2);
	leat_waitgroup_add(&wg, -1);
	await_last();
}

static void writes_and_adds(void)
{
	write_shared();
	leat_waitgroup_add(&wg, 1);
	reach(1);
	await(99);
}

static void is_done_twice(void)
{
	await(1);
	leat_waitgroup_done(&wg);
	leat_waitgroup_done(&wg);
	reach(2);
}

static void waits_when_reached(void)
{
	await(2);
	waits();
}

RACES(add)
{
	leat_waitgroup_add(&wg, 1);
	go0(writes_and_adds);
	go0(is_done_twice);
	go0(waits_when_reached);
	await_last();
}

static void is_done_first(void)
{
	writes_and_is_done();
	reach(1);
	await(99);
}

static void is_done_second(void)
{
	await(1);
	leat_waitgroup_done(&wg);
	write_last();
}

RACES(two_dones)
{
	leat_waitgroup_add(&wg, 3);
	go0(is_done_first);
	go0(is_done_second);
	await_last();
	leat_waitgroup_done(&wg);
}

static void writes_and_waits(void)
{
	write_shared();
	leat_waitgroup_wait(&wg);
	reach(1);
	await(99);
}

static void waits_second(void)
{
	await(1);
	waits();
}

RACES(two_waits)
{
	go0(writes_and_waits);
	go0(waits_second);
	await_last();
}

static void is_done_early(void)
{
	leat_waitgroup_done(&wg);
	write_shared();
	reach(1);
	await(99);
}

RACES(write_after_done)
{
	leat_waitgroup_add(&wg, 1);
	go0(is_done_early);
	go0(waits_second);
	await_last();
}
