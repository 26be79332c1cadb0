/* SPDX-License-Identifier: MIT */
/*
 * Timers: call a function at an instant.
 *
 * One 4-ary heap under one lock.  Whoever runs out of other work, and the monitor, calls
 * leat__timers_run; the thread that sleeps until the first timer is the keeper (see scheduler.c).
 */
#ifndef LEAT_SCHED_TIMER_H
#define LEAT_SCHED_TIMER_H

#include "sched/machine.h"

struct leat__timer {
	int64_t when;
	/* Called once under the timers' lock, in the runtime: may ready goroutines, must not park. */
	void (*fire)(struct leat__m *m, struct leat__timer *t);
	/* Whether anybody waits for it; NULL: yes.  Called under the timers' lock. */
	bool (*awaited)(const struct leat__timer *t);
	uint32_t index; /* 1 + its place in the heap; 0: not there */
};

/* The first timer's instant, INT64_MAX without any; a hint unless locked. */
extern _Atomic int64_t leat__timers_next;

/* Arm t, which is not armed, for t->when.  0, or -ENOMEM. */
int leat__timer_add(struct leat__timer *t);

/* Disarm t if it is armed; true when it was.  On return its function does not run and will not. */
bool leat__timer_stop(struct leat__timer *t);

/* Fire what is due. */
void leat__timers_run(struct leat__m *m);

/* A timer is armed that somebody waits for. */
bool leat__timers_matter(void);

/* Keep the timers as they are while the process is forked; in the child there are none any more: what
   was armed before is no longer. */
void leat__timers_lock(void);
void leat__timers_unlock(void);
void leat__timers_forget(void);

/* now + duration, INT64_MAX when that is past the end of time. */
int64_t leat__deadline(int64_t duration_ns);

#endif
