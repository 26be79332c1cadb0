/* SPDX-License-Identifier: MIT */
/*
 * Goroutines that compute while threads are short are stopped in place.
 *
 * A goroutine that loses its processor because it computes goes on, alone on its thread; so each such
 * one costs a thread, since another must go on with the processor.  The growing slice bounds how many there
 * are (monitor.c), but the limit of threads may be low, or nearly used up by goroutines that block.  When
 * fewer than NEAR threads for each processor are left, the goroutine is put into the global queue as
 * if it had entered leat, although it is in the middle of its own code, and a signal parks its thread
 * in the handler.  Whoever takes it off the queue hands the processor to that thread (pin.c), and it
 * goes on where it was.  The thread that did so becomes idle, which leaves one to go on with at the next
 * stop.  So as many hogs as there are threads take turns, and goroutines that have started get their
 * turn among them; new ones start when a hog has ended, or there is nothing else (LEAT__ATTEND_STARTED).
 * Where no thread is left to go on with, the processor goes to the next goroutine that has one of its own
 * (threads.c), which in the end is the stopped one itself.
 *
 * The thread may be anywhere in the program's code, inside malloc too.  It holds what it holds while it
 * is parked, as one that the kernel preempted does; nothing else runs on it, so what belongs to the thread
 * stays right.  It is not inside leat: then the handler does nothing, and the goroutine, which finds at
 * its door that its processor is taken, queues there.
 *
 * All is correct without the signal, too, which may come late or never (the program may block it, or
 * handle it itself): the goroutine then runs though it waits for its turn, and is given it all the same.
 * Until its thread has noticed, in the handler or at the door, m->retake stays TAKEN.
 *
 * The signal is the one that dumps look at threads with, SIGURG (os/signal.h); a thread that is parked in
 * the handler lets itself be looked at.  A system call that was just about to begin goes on.
 *
 * Invariants (scheduler's lock)
 *  - LEAT__STOPPED is set, and counted in leat__sched.stopped, exactly from the retake until somebody
 *    hands it a processor or it enters leat; until then its M is on no list and has no processor, and
 *    m->wake is 0.
 */
#include "os/signal.h"
#include "sched/scheduler.h"

#define NEAR 2 /* threads for each processor */

bool leat__stop_wanted(void)
{
	int left = leat__sched.max_threads - load_relaxed(&leat__sched.threads) +
	           load_relaxed(&leat__sched.idle_ms);

	return left <= NEAR * leat__sched.procs;
}

void leat__stop(struct leat__m *m)
{
	struct leat__g *g = m->g;

	leat__detach(m, false);
	fetch_add_relaxed(&leat__sched.detached, -1); /* it is in the queue instead */
	store_relaxed(&m->wake, 0);
	g->thread = m;
	g->special |= LEAT__STOPPED;
	fetch_add_relaxed(&leat__sched.stopped, 1);
	leat__global_append(g);
}

void leat__stop_over(struct leat__g *g)
{
	if (g->special & LEAT__STOPPED)
		fetch_add_relaxed(&leat__sched.stopped, -1);
	g->special &= (uint8_t)~LEAT__STOPPED;
	if (!(g->special & LEAT__LOCKED))
		g->thread = NULL;
}

void leat__stop_await(struct leat__m *m, const void *context)
{
	/* In the handler dumps look at it, too. */
	if (context) {
		m->stopped_at = context;
		compiler_barrier();
		leat__os_let_interrupt(true);
	}
	for (;;) {
		leat__lock(&leat__sched.lock);
		if (!(m->g->special & LEAT__STOPPED))
			break;
		leat__unlock(&leat__sched.lock);
		leat__os_wait(&m->wake, 0, INT64_MAX);
	}
	if (m->p) {
		store_relaxed(&m->wake, 0);
		leat__retake_over(m);
	}
	leat__unlock(&leat__sched.lock);
	if (context) {
		leat__os_let_interrupt(false);
		m->stopped_at = NULL;
	}
	leat__monitor_ring();
}

static bool on_stop(const void *context)
{
	struct leat__m *m = leat__self();

	/* Outside the runtime a goroutine's thread holds no lock of leat's, unless it forks, so this may
	   take one. */
	if (!m || m->foreign || load_relaxed(&m->in_runtime) ||
	    !(load_relaxed(&m->retake) & LEAT__RETAKE_TAKEN))
		return false;
	if (!m->stopped_at && !m->forking)
		leat__stop_await(m, context);
	return true;
}

void leat__stop_signal(struct leat__m *m)
{
	static bool installed; /* the monitor's */

	if (!installed)
		installed = leat__os_on_stop(on_stop);
	leat__os_stop(m->tid);
}
