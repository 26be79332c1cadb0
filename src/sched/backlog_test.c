/* SPDX-License-Identifier: MIT */
/*
 * Goal: what waits on a processor that takes turns is shared with one that idles, although its wake-up
 * was saved.
 *
 * Method: with a gap between wake-ups that never ends, goroutines that compute for a fraction of the
 * monitor's look keep one processor busy until one of them finds itself on another thread.
 */
#include "sched/scheduler.h"

#include "test.h"

enum { CROWD = 100, TURN_US = 200 };

static _Atomic int first, shared; /* shared: two threads have had a turn */
static int64_t end;
static leat_waitgroup left;

static void turn(void)
{
	uint64_t until = leat__ticks() + TURN_US * leat__sched.ticks_per_us;
	int tid = leat__os_tid(), none = 0;

	if (!cas_acq_rel(&first, &none, tid) && none != tid)
		store_relaxed(&shared, 1);
	while (leat__ticks() < until)
		leat__cpu_relax();
}

static bool over(void)
{
	return load_relaxed(&shared) || leat__os_now() > end;
}

/* Begun, over and over. */
static void newcomer(void)
{
	turn();
	if (over())
		leat_waitgroup_done(&left);
	else
		go0(newcomer);
}

static _Atomic int all_there;

/* Begun before it counts. */
static void regular(void)
{
	while (!load_relaxed(&all_there))
		leat_yield();
	while (!over()) {
		turn();
		leat_yield();
	}
	leat_waitgroup_done(&left);
}

/* The other processor sleeps, and nobody wakes it. */
static void begin(void)
{
	leat_procs(2);
	do
		store_relaxed(&leat__sched.wake_gap, UINT64_MAX / 2);
	while (!load_relaxed(&leat__sched.idle) || load_relaxed(&leat__sched.searching));
	store_relaxed(&leat__sched.wake_gap, UINT64_MAX / 2);
	store_relaxed(&first, 0);
	store_relaxed(&shared, 0);
	end = leat__os_now() + 20 * LEAT_SECOND;
	leat_waitgroup_add(&left, CROWD);
}

TEST(new_goroutines_are_shared_by_a_look_of_the_monitor)
{
	begin();
	for (int i = 0; i < CROWD; i++)
		go0(newcomer);
	leat_waitgroup_wait(&left); /* no timer, which would wake somebody */
	CHECK(load_relaxed(&shared));
}

TEST(goroutines_that_yield_are_shared_by_a_look_of_the_monitor)
{
	begin();
	for (int i = 0; i < CROWD; i++) {
		go0(regular);
		leat_yield();
	}
	store_relaxed(&all_there, 1);
	leat_waitgroup_wait(&left); /* no timer, which would wake somebody */
	CHECK(load_relaxed(&shared));
}

TEST_MAIN
