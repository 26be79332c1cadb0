/* SPDX-License-Identifier: MIT */
/*
 * Which timers are armed, and which is the first: a heap, and beside it, where there are thousands, a calendar for
 * those that are not due soon, and those of the day that has come.
 *
 * An armed timer has a slot, by which the arrays here know it: they are all that the way to the first
 * one touches.  A kept timer has its slot for life.
 *
 * Under the lock of the timers that it belongs to (timer.h).
 */
#ifndef LEAT_SCHED_TIMER_QUEUE_H
#define LEAT_SCHED_TIMER_QUEUE_H

#include "sched/timer_today.h"

struct leat__timer;

#define LEAT__TIMERS_MIN    128 /* room for so many fits a page */
#define LEAT__TIMERS_SPARSE 16  /* room for so many times what there is, is given back */

struct leat__timer_queue {
	uint32_t count;   /* armed timers */
	uint32_t near;    /* of these, entries of heap */
	uint32_t claimed; /* slots in use, by armed and by kept timers */
	uint32_t used;    /* slots above this one were never in use */
	uint32_t free;    /* the first of a list of free ones, linked through place; 0: none */
	uint32_t room;    /* of entries and of slots; slots are numbered from 1 */
	struct leat__timer_entry *heap;
	struct leat__timer **timers; /* by slot; NULL: free */
	uint32_t *place;             /* by slot: 1 + that in heap, or where else; 0: not armed */
	struct leat__calendar far;
	struct leat__today today;
};

/* A slot for t, in t->slot; false when there is no memory. */
bool leat__timer_queue_claim(struct leat__timer_queue *q, struct leat__timer *t);

/* t, which is not armed, gives its slot back. */
void leat__timer_queue_unclaim(struct leat__timer_queue *q, struct leat__timer *t);

/* t, which has a slot, is armed for when.  Takes no memory. */
void leat__timer_queue_insert(struct leat__timer_queue *q, int64_t when,
                              const struct leat__timer *t);

/* t is not armed any more, if it was; true: it was. */
bool leat__timer_queue_remove(struct leat__timer_queue *q, const struct leat__timer *t);

/* t, which has a slot, is armed. */
static inline bool leat__timer_queue_armed(const struct leat__timer_queue *q, uint32_t slot)
{
	return q->place[slot] != 0;
}

/* When the first one that is not in the calendar is due. */
static inline int64_t leat__timer_queue_near(const struct leat__timer_queue *q)
{
	int64_t near = q->near ? q->heap[0].when : INT64_MAX, today = leat__today_first(&q->today);

	return near < today ? near : today;
}

/* No timer is due before; INT64_MAX just when none is armed.  It is the first one's instant, but where
   the calendar tells that of one that was removed. */
static inline int64_t leat__timer_queue_first(const struct leat__timer_queue *q)
{
	int64_t near = leat__timer_queue_near(q), far = leat__calendar_first(&q->far);

	return near < far ? near : far;
}

/* Is any due?  This is exact, and finds out what first will tell. */
bool leat__timer_queue_due(struct leat__timer_queue *q, int64_t now);

/* Take the first of those that are due out, at most so many, in order.  The result: how many. */
int32_t leat__timer_queue_take(struct leat__timer_queue *q, int64_t now, uint32_t *slots,
                               int32_t most);

/* There is far too much memory: give it back.  Timers get other slots. */
static inline bool leat__timer_queue_sparse(const struct leat__timer_queue *q)
{
	return q->claimed < q->room / LEAT__TIMERS_SPARSE && q->room > LEAT__TIMERS_MIN;
}

void leat__timer_queue_shrink(struct leat__timer_queue *q);

/* None is armed any more, and no timer is touched for it. */
void leat__timer_queue_clear(struct leat__timer_queue *q);

#endif
