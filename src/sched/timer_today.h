/* SPDX-License-Identifier: MIT */
/*
 * Today: the timers of the day that was taken out of the calendar last, in the order in which they are due.
 *
 * To take the first one out is to go on to the next; to strike any other out leaves a gap there.
 *
 * Under the lock of the timers that it belongs to.
 */
#ifndef LEAT_SCHED_TIMER_TODAY_H
#define LEAT_SCHED_TIMER_TODAY_H

#include "sched/timer_calendar.h"

#define LEAT__PLACE_TODAY                                                                          \
	(UINT32_C(1) << 30) /* a place is one of today's; above all in a heap, and none in a calendar */

struct leat__today {
	struct leat__timer_entry *entry;
	uint32_t first, end; /* equal: none is left */
	uint32_t *begin;     /* to sort: where the entries of each value begin */
};

/* Memory for so many timers. */
size_t leat__today_bytes(uint32_t timers);

/* There are none, in that much memory, which begins a cache line. */
void leat__today_begin(struct leat__today *d, void *memory);

/* The same in other memory. */
void leat__today_move(struct leat__today *d, void *memory);

/* Those n entries, in no order, are today's, where none is left; they are all within 2^LEAT__DAY_BITS ns.  from is
   overwritten.  place[slot] of each says where it is. */
void leat__today_fill(struct leat__today *d, struct leat__timer_entry *from, uint32_t n,
                      uint32_t *place);

/* The entry there. */
struct leat__timer_entry *leat__today_at(const struct leat__today *d, uint32_t where);

/* Strike out the entry there. */
void leat__today_strike(struct leat__today *d, uint32_t where);

/* When the first one is due; INT64_MAX: none is left. */
static inline int64_t leat__today_first(const struct leat__today *d)
{
	return d->first < d->end ? d->entry[d->first].when : INT64_MAX;
}

#endif
