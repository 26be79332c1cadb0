/* SPDX-License-Identifier: MIT */
/*
 * Is this the end?  Every processor is idle; is there anything that could make a goroutine runnable?
 *
 *  - a goroutine that runs without a processor (detached): counted;
 *  - a timer that somebody waits for;
 *  - a goroutine or thread that waits in the poller: counted until it is in a queue;
 *  - a signal that a goroutine asked to be told of;
 *  - a thread that leat did not start and that does not sleep in leat: it could send.  Then nothing
 *    is certain: the monitor looks again after 50 ms, since a thread that was just woken may be about to
 *    send, and one that was just joined is still counted by the kernel for a moment.  Then the process
 *    goes on, with one notice (LEAT_DEBUG=deadlock: it ends), and the monitor looks ever more seldom,
 *    since the thread may end without a word.
 *
 * Exact for leat's own world, since the counts change under the scheduler's lock together with the
 * queues.  Plain threads and the timers are not under it, so the verdict is made from several looks:
 * first who sleeps, then the timers, and it stands only if no processor was taken up and no thread was
 * woken since before the first look.  Then who slept at the first look slept all the while, and armed
 * no timer after the second.
 *
 * Who wakes a thread takes it off those asleep, then counts the wake-up; who looks loads these in the
 * opposite order, the wake-ups with acquire.  So a thread that still counts as asleep, though it was being
 * woken, has its wake-up counted after the first look: before the last one, or whoever wakes it has not
 * gone on yet, and is among the threads that the kernel counts, or holds a processor.  The other way round
 * a plain thread that woke one and ended at once left nobody awake (tests/litmus/model_tso.c).
 */
#include "sched/netpoll.h"
#include "sched/panic.h"
#include "sched/settings.h"
#include "sched/scheduler.h"
#include "sched/signals.h"
#include "sched/timer.h"

#include <leat/go.h>

#include <limits.h>

#define MANY INT_MAX

/* Locked. */
static bool all_asleep(void)
{
	/* The waiters first: who is not among them any more is in a queue, or awake (acquire: netpoll.h). */
	return load_acquire(&leat__poll_waiters) == 0 && !load_acquire(&leat__signals_live) &&
	       leat__sched.held == 0 && !leat__sched.starting &&
	       load_relaxed(&leat__sched.detached) == 0 && load_relaxed(&leat__sched.queued) == 0;
}

/* Whether threads could still call leat: how many, MANY if that cannot be told. */
static int others(void)
{
	/* In this order: a thread that sleeps after the first look counts as awake, and looks itself. */
	int parked = load_acquire(&leat__sched.foreign_parked);
	int all = leat__os_thread_count();

	if (all < 0)
		return MANY;
	/* Our own sleep, the monitor is one more, and the thread sanitizer has a thread of its own. */
	return all - load_relaxed(&leat__sched.threads) - 1 - parked -
	       (leat__sanitizers & LEAT__TSAN ? 1 : 0);
}

LEAT__NORETURN static void die(size_t goroutines)
{
	leat__report_begin();
	if (load_relaxed(&leat__sched.main_exited) && goroutines == 0) {
		leat__report("fatal error: no goroutines (main called runtime.Goexit) - deadlock!\n");
	} else {
		leat__report("fatal error: all goroutines are asleep - deadlock!\n");
		if (leat__settings.traceback > LEAT__TRACE_NONE) {
			leat__report("\n");
			leat__report_all();
		}
	}
	leat__report_end(2);
}

void leat__check_deadlock(void)
{
	static _Atomic bool told;
	uint64_t acquisitions, woken;
	size_t goroutines;
	bool timers;
	int n;

	/* Counting threads costs some 20 us. */
	if (!all_asleep() || leat__timers_first() != INT64_MAX)
		return;
	acquisitions = load_relaxed(&leat__sched.acquisitions);
	woken = load_acquire(&leat__sched.foreign_woken);
	leat__unlock(&leat__sched.lock);
	n = others();
	timers = leat__timers_first() != INT64_MAX;
	goroutines = leat__num_goroutine();
	leat__lock(&leat__sched.lock);
	if (timers || !all_asleep() || acquisitions != load_relaxed(&leat__sched.acquisitions))
		return;
	if (woken != load_acquire(&leat__sched.foreign_woken)) {
		leat__suspect_again(); /* it and who woke it may end without a word */
		return;
	}
	if (goroutines == 0 && !load_relaxed(&leat__sched.main_exited))
		return; /* plain threads among themselves */
	if (n <= 0)
		die(goroutines);
	if (!leat__suspect_again())
		return;
	if (leat__settings.fatal_deadlock)
		die(goroutines);
	if (atomic_exchange(&told, true))
		return;
	if (n == MANY)
		leat__report(
		    "leat: all goroutines are asleep; other threads could still wake them, if there are\n");
	else
		leat__report(
		    "leat: all goroutines are asleep, but %d other threads could still wake them\n", n);
}
