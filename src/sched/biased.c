/* SPDX-License-Identifier: MIT */
/* See the header. */
#include "sched/biased.h"

#include "sched/scheduler.h"

#define STREAKS_FIRST 16
#define STREAKS_LATER 240 /* once it was taken away */

/* Take b, whose word is the caller's, from its owner. */
static void disown(struct leat__biased *b, uint16_t mark)
{
	unsigned attempt = 0;

	b->former = b->owner;
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

/* Nobody but the caller's processor can still write held. */
static bool former_is_gone(struct leat__biased *b, uint16_t mark)
{
	const struct leat__p *p;
	const struct leat__m *m;
	bool gone;

	if (!b->former || b->former == mark)
		return true;
	p = load_relaxed(&leat__sched.p[leat__mark_id(b->former)]);
	leat__lock(&leat__sched.lock);
	m = load_relaxed(&p->m);
	gone = !m || !load_acquire(&m->in_runtime);
	leat__unlock(&leat__sched.lock);
	return gone;
}

COLD bool leat__biased_lock_slow(struct leat__biased *b, uint16_t mark)
{
	uint16_t owner;

	leat__lock(&b->word);
	owner = b->owner;
	LEAT_ASSERT(owner != mark);
	if (owner == LEAT__DEAD) {
		leat__unlock(&b->word);
		return false;
	}
	if (owner & LEAT__OWNED) {
		disown(b, mark);
	} else if (owner != (mark & ~LEAT__OWNED)) {
		__atomic_store_n(&b->owner, mark & ~LEAT__OWNED, __ATOMIC_RELAXED);
		b->streak = 0;
	} else if (b->streak < LEAT__STREAK) {
		b->streak++;
	} else {
		b->streak = 0;
		if (mark == LEAT__NO_MARK || leat__fenced || ++b->streaks != STREAKS_FIRST)
			return true;
		if (former_is_gone(b, mark)) {
			b->former = 0;
			__atomic_store_n(&b->owner, mark, __ATOMIC_RELAXED);
		} else {
			b->streaks--; /* perhaps the next time */
		}
	}
	return true;
}
