/* SPDX-License-Identifier: MIT */
/*
 * Signals on their way from a handler to those who want them.
 *
 *	handler, anywhere:  count it, call the monitor
 *	the monitor:        give what was counted to the sinks that want it
 */
#ifndef LEAT_SCHED_SIGNALS_H
#define LEAT_SCHED_SIGNALS_H

#include "os/caught.h"
#include "sched/scheduler.h"

/* Where signals go.  On the heap: links and live are under the lock of signals, as wants is. */
struct leat__sink {
	struct leat__sink *next;
	const void *key;    /* what it is for: a channel, a context; one sink each */
	uint64_t wants;     /* bit N - 1: signal N */
	bool live;          /* in this process: not since a fork */
	bool while_wanting; /* not worth keeping without wants */
	bool once;          /* wants nothing more from before its first take on */
	/* sig has come n times.  In the runtime, under the lock, of the monitor or of whoever takes a sink away: it may
	   ready goroutines, but must not park. */
	void (*take)(struct leat__m *m, struct leat__sink *s, int sig, uint32_t n);
};

/* Somebody may be told of a signal, and wake others: no deadlock.  Acquire. */
extern _Atomic bool leat__signals_live;

/* --- out of the runtime */

/* The sink of fresh's key is to have these, too.  True when that is fresh itself, else fresh is still the caller's. */
bool leat__signals_want(struct leat__sink *fresh, uint64_t which);

/*
 * Nothing more for the sink of that key; NULL: there is none.  What came until now it has had on return, and nobody
 * touches it any more: it is the caller's.  What nobody wants now is as it was before leat.
 */
struct leat__sink *leat__signals_unwant(const void *key);

/* No sink wants these any more; they are ignored, or as before leat.  Returns those that were kept only for
   wanting, linked by next: the caller's. */
struct leat__sink *leat__signals_ignore(uint64_t which);
struct leat__sink *leat__signals_reset(uint64_t which);

/* --- the monitor's */

/* Give what has come, and take the signals that are wanted on this thread, in case others block them. */
void leat__signals_attend(struct leat__m *self);

/* --- fork.c's */

/* While locked nobody gives or is given anything.  Above the lock of timers. */
void leat__signals_lock(void);
void leat__signals_unlock(void);

/* In the child, at once: all signals are as they were before leat.  whole: locked, so that the sinks can be told. */
void leat__signals_forget(bool whole);

#endif
