/* SPDX-License-Identifier: MIT */
/*
 * The poller as the scheduler sees it: who sleeps in it, who looks, and what comes out.  What one waits
 * on is in polldesc.h.
 */
#ifndef LEAT_SCHED_NETPOLL_H
#define LEAT_SCHED_NETPOLL_H

#include "os/poller.h"
#include "sched/scheduler.h"

/* Goroutines and threads that wait in the poller: they keep the process alive.  One counts until after
   it has been made runnable. */
extern _Atomic int leat__poll_waiters;

/* So many are runnable now.  Release: who finds the count at 0 finds them in their queues. */
static inline void leat__poll_awake(int n)
{
	atomic_fetch_sub_explicit(&leat__poll_waiters, n, memory_order_release);
}

/* 0 or -errno; the first call makes the poller. */
int leat__netpoll_start(void);
bool leat__netpoll_started(void);

/* In the child of a fork, at once, before the program gives the numbers another meaning. */
void leat__netpoll_drop(void);

/* What was found ready, linked by next: to be given to leat__netpoll_inject. */
struct leat__ready_list {
	struct leat__g *first, *last;
	int n;
};

/* g, counted in leat__poll_waiters, goes on the list; a plain thread is woken at once. */
void leat__ready_list_add(struct leat__m *m, struct leat__ready_list *list, struct leat__g *g);

/* Sleep in the poller until something is ready, deadline_ns, or an interruption. */
void leat__netpoll_block(struct leat__m *m, int64_t deadline_ns, struct leat__ready_list *ready);

/* Make them runnable: on m's processor, or globally. */
void leat__netpoll_inject(struct leat__m *m, struct leat__ready_list *ready);

/* Look without sleeping, unless somebody has within the last gap_us, or a thread sleeps in the poller.
   True when a goroutine became runnable. */
bool leat__netpoll_look(struct leat__m *m, int64_t gap_us);

/* Descriptors became ready within the last millisecond: that is where work comes from. */
bool leat__netpoll_gives(void);

/* The monitor's look: true when somebody waits for descriptors and no thread sleeps in the poller. */
bool leat__netpoll_oversee(struct leat__m *self);

/* See to it that a thread sleeps in the poller, if any is idle. */
void leat__netpoll_attend(void);

/* Have m, which is idle, look at the timers anew, and be the keeper if there is none; or the keeper, if there is one, wherever it
   sleeps.  Scheduler's lock. */
void leat__rouse(struct leat__m *m);
void leat__rouse_keeper(void);

/* m sleeps in the poller.  Scheduler's lock. */
static inline bool leat__in_poller(const struct leat__m *m)
{
	return unlikely(load_relaxed(&leat__sched.keeper_polls)) && m == leat__sched.keeper;
}

/* Wake m, which sleeps on its wake word or (polls) in the poller. */
static inline void leat__wake_machine(struct leat__m *m, bool polls)
{
	if (unlikely(polls))
		leat__os_poller_interrupt();
	else
		leat__os_wake(&m->wake, 1);
}

#endif
