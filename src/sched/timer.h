/* SPDX-License-Identifier: MIT */
/*
 * Timers: call a function at an instant.
 *
 * A queue for each processor and one for all plain threads, each under a lock of its own.  Who runs out
 * of other work, and the monitor, fires what is due in any of them; a processor looks at its own every
 * so often; the thread that sleeps until the first timer of all is the keeper (see work.c).
 *
 * Most timers are armed once: leat__timer_add.  One that must never fail to be armed is kept: its place
 * in one queue is set aside for life, and that queue's lock also orders what its owner does with it.
 */
#ifndef LEAT_SCHED_TIMER_H
#define LEAT_SCHED_TIMER_H

#include "base/atomic.h"
#include "sched/slab.h"
#include "sched/timer_queue.h"

#define LEAT__TIMER_BYTES 128

struct leat__m;
struct leat__timers;

struct leat__timer {
	int64_t when;
	/* Called once under its home's lock, in the runtime: may ready goroutines, must not park. */
	void (*fire)(struct leat__m *m, struct leat__timer *t);
	struct leat__timers *home; /* where it is or was; NULL: it was never armed */
	uint32_t slot;             /* its number there; 0: none, it is not armed */
	bool kept;                 /* it has a slot for life */
};

/* t, if it is not NULL, is about to fire: fetch it, and what a function's alarm has behind it. */
static ALWAYS_INLINE void leat__timer_fetch(const struct leat__timer *t)
{
	uintptr_t at = (uintptr_t)t;

	__builtin_prefetch((const void *)at, 1);
	__builtin_prefetch((const void *)(at + CACHE_LINE));
}

/* Those of a processor. */
struct leat__timers {
	uint8_t lock;
	struct leat__timer_queue queue;
	struct leat__slabs memory; /* of those that leat__timer_new made */
	_Atomic int64_t next; /* no timer is due before; INT64_MAX: there is none, as in a new one */
} ON_LINE;

/* --- armed once */

/* Arm t, which is not armed, for t->when, in the caller's queue; for INT64_MAX that means never.  0, or
   -ENOMEM. */
int leat__timer_add(struct leat__timer *t);

/* Disarm t if it is armed; true when it was.  On return its function does not run and will not. */
bool leat__timer_stop(struct leat__timer *t);

/* --- kept */

/* Set a slot aside for t in the caller's queue, and take its lock.  0, or -ENOMEM: it is not taken. */
int leat__timer_keep(struct leat__timer *t);

/* Disarm t, as leat__timer_stop, and give its slot back. */
void leat__timer_drop(struct leat__timer *t);

/* What looks for leaks and races knows malloc's memory: then that of leat__timer_new comes from there. */
bool leat__timer_watched(void);

/* A kept timer: a copy of like, which is the beginning of so many bytes, at most LEAT__TIMER_BYTES.  It lies in memory
   of malloc's, or where that is NULL, the caller's queue has some for it.  Its lock is taken.  NULL: there is no memory. */
struct leat__timer *leat__timer_new(void *memory, const struct leat__timer *like, size_t bytes);

/* Disarm t, which leat__timer_new made, and give its slot back, and its memory unless that is malloc's.  False: that has
   been done before, as far as can be seen. */
bool leat__timer_free(struct leat__timer *t);

/* The lock of t's home. */
void leat__timer_lock(struct leat__timer *t);
void leat__timer_unlock(struct leat__timer *t);

/* Locked: is t armed? */
bool leat__timer_armed(const struct leat__timer *t);

/* Arm t for when instead of what it was armed for; INT64_MAX disarms it.  True when it was armed.
   Locked, or while it fires. */
bool leat__timer_arm(struct leat__timer *t, int64_t when);

/* --- firing */

/* Fire a batch of what is due, of each queue; of that of m's processor alone.  First the goroutines that it woke should
   run: then, if more is due, true. */
void leat__timers_run(struct leat__m *m);
bool leat__timers_run_own(struct leat__m *m);

/*
 * No timer of all is due before; INT64_MAX just when there is none.  Costs a look at each processor.  Where there are tens
 * of thousands, of which many are stopped, it may be some time before the first is due.
 *
 * All timers matter: one that nobody waits for is in no queue.  A timer that is firing counts until
 * those that it woke are runnable.
 */
int64_t leat__timers_first(void);

/* The same, but those of processors that are held may come late by so much. */
int64_t leat__timers_first_late(int64_t grace);

/* When to look at timers of which the first is due at when: later where they come so close together that
   they are fired many at a time, for the keeper by 100 us at most, for all others by twice that. */
int64_t leat__timers_keep_until(int64_t when);
int64_t leat__timers_look_at(int64_t when);

/* They do now. */
bool leat__timers_dense(void);

/* Keep the timers as they are while the process is forked.  False: there are queues by now that are not
   locked (scheduler's lock). */
void leat__timers_lock(void);
void leat__timers_unlock(void);
bool leat__timers_locked_all(void);

/* In the child there are none any more: what was armed before is no longer.  leat__on_timer_dropped is
   called for each that is kept, whether it was armed or not; set by the alarms. */
void leat__timers_forget(void);
extern void (*leat__on_timer_dropped)(struct leat__timer *t);

/* now + duration, INT64_MAX when that is past the end of time. */
int64_t leat__deadline(int64_t duration_ns);

#endif
