/* SPDX-License-Identifier: MIT */
/*
 * A calendar for timers that are not due soon: each is noted on its day, and looked at again when that day comes.
 *
 * A day is a millisecond, a year has 4,096 of them, and what is due in later years stands on the same
 * page.  To note one and to strike one out takes the same time for any number; what a day's timers
 * are is read off page after page, in the order in which they lie in memory.
 *
 * Under the lock of the timers that it belongs to.
 */
#ifndef LEAT_SCHED_TIMER_CALENDAR_H
#define LEAT_SCHED_TIMER_CALENDAR_H

#include "base/compiler.h"

#define LEAT__DAY_BITS    20                  /* of nanoseconds, so many are a day: 1.05 ms */
#define LEAT__PLACE_NOTED (UINT32_C(1) << 31) /* a place is one in a calendar */

struct leat__calendar_page;

struct leat__timer_entry {
	int64_t when;
	uint32_t slot;
	bool kept;
};

struct leat__calendar {
	int64_t *least;                    /* NULL: there is no calendar */
	uint32_t *day;                     /* the first page of each, 0: none */
	struct leat__calendar_page *pages; /* numbered from 1 */
	uint32_t used;                     /* pages above this one were never in use */
	uint32_t free;                     /* the first of a list of free ones, 0: none */
	int64_t taken;                     /* nothing is noted for this instant or before */
};

/* Memory for one in which that many can be noted, and whatever happens, no more is needed. */
size_t leat__calendar_bytes(uint32_t timers);

/* An empty one, in that much memory, which begins a cache line. */
void leat__calendar_begin(struct leat__calendar *c, void *memory);

/* The same in other memory. */
void leat__calendar_move(struct leat__calendar *c, void *memory);

/* Note e.  place[e.slot] says where, then and whenever it moves. */
void leat__calendar_note(struct leat__calendar *c, struct leat__timer_entry e, uint32_t *place);

/* Strike out what is noted there.  Another may move. */
void leat__calendar_strike(struct leat__calendar *c, uint32_t where, uint32_t *place);

/* What is noted there. */
struct leat__timer_entry *leat__calendar_at(const struct leat__calendar *c, uint32_t where);

/* The first instant noted, INT64_MAX: none.  One that has been struck out may still be told, until its day comes, where
   others of that day fill more than a few pages. */
static inline int64_t leat__calendar_first(const struct leat__calendar *c)
{
	return c->least ? c->least[1] : INT64_MAX;
}

/* Take what is due on the day of the first instant out, in no order, to where there is room for it.  The result: how
   many, all of this year; there may be none, where that instant has been struck out. */
uint32_t leat__calendar_take(struct leat__calendar *c, struct leat__timer_entry *to,
                             uint32_t *place);

#endif
