/* SPDX-License-Identifier: MIT */
/* See the header. */
#include "sched/biased.h"

#define STREAKS_FIRST 16
#define STREAKS_LATER 240 /* once it was taken away */

/* Take b, whose word is the caller's, from its owner. */
static void disown(struct leat__biased *b, uint16_t mark)
{
	unsigned attempt = 0;

	__atomic_store_n(&b->owner, mark & ~LEAT__OWNED, __ATOMIC_RELAXED);
	leat__fence_heavy();
	while (__atomic_load_n(&b->held, __ATOMIC_ACQUIRE)) {
		leat__cpu_relax();
		if (++attempt > 50)
			leat__os_backoff(attempt - 50);
	}
	b->streak = 0;
	b->streaks = (uint8_t)(STREAKS_FIRST - STREAKS_LATER);
}

COLD void leat__biased_lock_slow(struct leat__biased *b, uint16_t mark)
{
	uint16_t owner;

	leat__lock(&b->word);
	owner = b->owner;
	LEAT_ASSERT(owner != mark);
	if (owner & LEAT__OWNED) {
		disown(b, mark);
	} else if (owner != (mark & ~LEAT__OWNED)) {
		__atomic_store_n(&b->owner, mark & ~LEAT__OWNED, __ATOMIC_RELAXED);
		b->streak = 0;
	} else if (b->streak < LEAT__STREAK) {
		b->streak++;
	} else {
		b->streak = 0;
		if (mark != LEAT__NO_MARK && !leat__fenced && ++b->streaks == STREAKS_FIRST)
			__atomic_store_n(&b->owner, mark, __ATOMIC_RELAXED);
	}
}
