/* SPDX-License-Identifier: MIT */
/* RWMutex: an unlock before the next lock of either kind, a read unlock before the next writer's; readers order
   nothing among themselves. */
#include "race.h"

#include <errno.h>

static leat_rwmutex m;

static void writes_locked(void)
{
	leat_rwmutex_lock(&m);
	write_shared();
	leat_rwmutex_unlock(&m);
}

static void writes_read_locked(void)
{
	leat_rwmutex_rlock(&m);
	write_shared();
	leat_rwmutex_runlock(&m);
}

static void writes_last_locked(void)
{
	leat_rwmutex_lock(&m);
	write_last();
	leat_rwmutex_unlock(&m);
}

static void writes_last_read_locked(void)
{
	leat_rwmutex_rlock(&m);
	write_last();
	leat_rwmutex_runlock(&m);
}

static void one_after_the_other(void (*first)(void), void (*second)(void))
{
	go0(first);
	await_left(1);
	go0(second);
	await_last();
}

ORDERED(unlock_then_lock)
{
	one_after_the_other(writes_locked, writes_last_locked);
}

ORDERED(unlock_then_rlock)
{
	one_after_the_other(writes_locked, writes_last_read_locked);
}

ORDERED(runlock_then_lock)
{
	one_after_the_other(writes_read_locked, writes_last_locked);
}

static void tries_and_writes_last(void)
{
	while (!leat_rwmutex_trylock(&m))
		let_others();
	write_last();
	leat_rwmutex_unlock(&m);
}

ORDERED(runlock_then_trylock)
{
	one_after_the_other(writes_read_locked, tries_and_writes_last);
}

static void tries_to_read_and_writes_last(void)
{
	while (!leat_rwmutex_tryrlock(&m))
		let_others();
	write_last();
	leat_rwmutex_runlock(&m);
}

ORDERED(unlock_then_tryrlock)
{
	one_after_the_other(writes_locked, tries_to_read_and_writes_last);
}

/* --- while one waits */

static void unlock_lets_in(void (*who)(void))
{
	leat_rwmutex_lock(&m);
	go0(who);
	await_parked(1);
	write_shared();
	leat_rwmutex_unlock(&m);
	await_last();
}

static void runlock_lets_in(void (*who)(void))
{
	leat_rwmutex_rlock(&m);
	go0(who);
	await_parked(1);
	write_shared();
	leat_rwmutex_runlock(&m);
	await_last();
}

ORDERED(unlock_while_a_writer_waits)
{
	unlock_lets_in(writes_last_locked);
}

ORDERED(unlock_while_a_reader_waits)
{
	unlock_lets_in(writes_last_read_locked);
}

ORDERED(runlock_while_a_writer_waits)
{
	runlock_lets_in(writes_last_locked);
}

static leat_ctx *ctx;

static void waits_with_a_context(void)
{
	MUST(leat_rwmutex_lock_ctx(&m, ctx) == 0);
	write_last();
	leat_rwmutex_unlock(&m);
}

static void waits_to_read_with_a_context(void)
{
	MUST(leat_rwmutex_rlock_ctx(&m, ctx) == 0);
	write_last();
	leat_rwmutex_runlock(&m);
}

ORDERED(runlock_while_a_writer_waits_with_a_context)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	runlock_lets_in(waits_with_a_context);
}

ORDERED(unlock_while_a_reader_waits_with_a_context)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	unlock_lets_in(waits_to_read_with_a_context);
}

/* --- what orders nothing */

static void reads_first(void)
{
	writes_read_locked();
	reach(1);
	await(99);
}

static void reads_second(void)
{
	await(1);
	writes_last_read_locked();
}

RACES(runlock_then_rlock)
{
	go0(reads_first);
	go0(reads_second);
	await_last();
}

static void reads_long(void)
{
	leat_rwmutex_rlock(&m);
	write_shared();
	reach(1);
	await(99);
	leat_rwmutex_runlock(&m);
}

RACES(two_readers_at_once)
{
	go0(reads_long);
	go0(reads_second);
	await_last();
}

/* So many that they are counted elsewhere. */
RACES(runlock_then_rlock_after_many)
{
	for (int i = 0; i < 100000; i++) {
		leat_rwmutex_rlock(&m);
		leat_rwmutex_runlock(&m);
	}
	go0(reads_first);
	go0(reads_second);
	await_last();
}

static void fails_to_lock(void)
{
	await(1);
	MUST(!leat_rwmutex_trylock(&m));
	write_last();
}

RACES(failed_trylock)
{
	go0(reads_long);
	go0(fails_to_lock);
	await_last();
}

static void gives_up(void)
{
	await(1);
	MUST(leat_rwmutex_lock_ctx(&m, ctx) == -ECANCELED);
	write_last();
}

RACES(wait_that_is_given_up)
{
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	go0(reads_long);
	go0(gives_up);
	await_parked(1);
	leat_ctx_cancel(ctx);
	await_last();
}
