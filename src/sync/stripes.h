/* SPDX-License-Identifier: MIT */
/*
 * Stripes: a count of readers that each processor keeps for itself.
 *
 * Who only reads should not write where others read.  So a lock that is mostly read gets an entry of this
 * table, and from then on its readers are counted by the processor they come and go on, each in a stripe of
 * its own, by plain stores: the processor is theirs in the runtime.  How many readers there are is the sum of
 * all that came less all that went, on whatever processor; a single stripe says nothing.
 *
 *	reader                                  who wants to be alone
 *	came++ in its stripe                    closes the entry, or the lock, to newcomers
 *	light fence                             heavy fence
 *	if all is open still: is in             sum
 *	else came--
 *
 *	reader leaves                           who waits for the readers to leave
 *	went++ (release)                        awaited = true
 *	light fence                             heavy fence
 *	if awaited: sum, wake at 0              sum (acquire), sleep unless 0
 *
 * Of each pair of stores at least one is seen by the other side (fence.h).  So after the fence of who closes
 * it every reader that is in is in the sum, and every other will find it closed; from then on stripes
 * change only by readers who leave, and by those who come in vain and undo that at once on the same
 * stripe.  Hence the sum, though it is not read at one instant, is never less than what it is when the
 * last stripe has been read: 0 means that nobody is in, and a negative sum that somebody left who was
 * not in.  And of those who leave after the fence each sums again, under the entry's lock, so the last of them
 * finds 0.
 *
 * Each reader comes and goes by way of the same entry (rwmutex.c sees to that), so while nobody is in the sum
 * of an entry is 0 whatever its stripes hold, and it can be given to another lock as it is.  A reader of the
 * former owner that is late comes in vain, for it finds another owner; that it did so it must tell who
 * waits at this entry by now, exactly as if it left.
 *
 * Owners.  A lock needs no destructor, so the owner of an entry may be dead, and must never be looked into
 * from here.  When all entries have owners, one whose count has not moved between two looks is taken away if,
 * closed by owner = NULL, its sum is 0; otherwise it is opened again.  A reader that finds it closed asks
 * again under the entry's lock.
 *
 * Leaving without having come is looked for where a stripe sinks below all it has been seen at (its
 * `debt`): then the entry is closed for the moment and summed.  Where readers are moved between
 * processors stripes sink for good, so each look lets this one sink twice as far as the look before.
 *
 * Lock order: that of a lock, then an entry's; never two entries'.
 */
#ifndef LEAT_SYNC_STRIPES_H
#define LEAT_SYNC_STRIPES_H

#include "chan/chan.h"

enum {
	LEAT__STRIPED = 128,                  /* entries */
	LEAT__NO_PROCESSOR = LEAT__MAX_PROCS, /* the row of threads without one */
};

/* Written by the owner of the processor, in the runtime, and read by all.  The numbers go round: only
   differences count. */
struct leat__stripe {
	_Atomic uint32_t came, went;
	_Atomic int32_t
	    debt;      /* look closer when more went than came by more than that; the entry's lock */
	uint32_t step; /* by how much it rises at the next look; the entry's lock */
};

struct leat__striped {
	const void *_Atomic owner ON_LINE; /* NULL: free, or closed; changes under the lock */
	_Atomic bool awaited;              /* there is a writer, or was; changes under the lock */
	uint8_t lock;
	struct leat__waiters writer; /* at most one, waits until the sum is 0; lock */
	uint32_t began; /* how many had come, by all stripes, when it got its owner; lock */
	uint32_t seen;  /* and when it was last looked at for eviction; lock */
};

extern struct leat__striped leat__striped[LEAT__STRIPED] HIDDEN;

/* A row per processor, and one that is changed by atomic additions.  Pages that nobody uses take no memory. */
extern struct leat__stripe leat__stripes[LEAT__MAX_PROCS + 1][LEAT__STRIPED] HIDDEN;

/* An entry for owner: locked, its sum 0; or NULL: all are in use. */
struct leat__striped *leat__striped_take(const void *owner);

/* It has no owner any more.  Locked, its sum is 0. */
void leat__striped_give(struct leat__striped *e);

/* How many are in, exactly if it is closed and the heavy fence was passed since.  Locked.
   Fatal where more went than came. */
uint32_t leat__striped_sum(const struct leat__striped *e);

/* The same without lock or fence: 0 if nobody has been in meanwhile. */
uint32_t leat__striped_glance(const struct leat__striped *e);

/* How many have come since it has its owner.  Locked. */
uint32_t leat__striped_uses(const struct leat__striped *e);

/* Close it for a moment, and sum.  Locked. */
uint32_t leat__striped_look(struct leat__striped *e);

/* n readers are in from now on; fewer, if n is negative.  Locked, and in the runtime. */
void leat__striped_add(const struct leat__m *m, struct leat__striped *e, uint32_t n);

/* The caller's stripe may sink further, after a look.  Locked. */
void leat__striped_sink(const struct leat__m *m, struct leat__striped *e);

/* Somebody left an entry that is awaited: let the writer go if that was the last. */
void leat__striped_left(struct leat__m *m, struct leat__striped *e);

/* --- by readers, in the runtime */

static ALWAYS_INLINE struct leat__stripe *leat__stripe(const struct leat__m *m, unsigned entry)
{
	return &leat__stripes[likely(m->p != NULL) ? m->p->id : LEAT__NO_PROCESSOR][entry];
}

static ALWAYS_INLINE void leat__stripe_come(const struct leat__m *m, unsigned entry, uint32_t n)
{
	struct leat__stripe *s = leat__stripe(m, entry);

	if (likely(m->p != NULL))
		store_relaxed(&s->came, load_relaxed(&s->came) + n);
	else
		fetch_add_relaxed(&s->came, n);
}

static ALWAYS_INLINE void leat__stripe_awaited(struct leat__m *m, unsigned entry)
{
	leat__fence_light(); /* the stripe is stored, awaited still to be read: see above */
	if (unlikely(load_relaxed(&leat__striped[entry].awaited)))
		leat__striped_left(m, &leat__striped[entry]);
}

/* True when the reader is in: owner, whose state is at *state, has entry, and is open, still. */
static ALWAYS_INLINE bool leat__stripe_enter(struct leat__m *m, unsigned entry, const void *owner,
                                             const uint64_t *state, uint64_t mask, uint64_t open)
{
	leat__stripe_come(m, entry, 1);
	leat__fence_light();
	/* Acquire: with the unlock of the last writer, for what the reader is about to read. */
	if (likely((__atomic_load_n(state, __ATOMIC_ACQUIRE) & mask) == open) &&
	    likely(load_relaxed(&leat__striped[entry].owner) == owner))
		return true;
	leat__stripe_come(m, entry, (uint32_t)-1);
	leat__stripe_awaited(m, entry);
	return false;
}

/* To leave by way of entry looks right at first sight. */
static ALWAYS_INLINE bool leat__stripe_may_leave(const struct leat__m *m, unsigned entry,
                                                 const void *owner)
{
	struct leat__stripe *s = leat__stripe(m, entry);
	uint32_t sunk = load_relaxed(&s->went) + 1 - load_relaxed(&s->came);

	return likely(load_relaxed(&leat__striped[entry].owner) == owner) &&
	       likely((int32_t)sunk <= load_relaxed(&s->debt));
}

static ALWAYS_INLINE void leat__stripe_leave(struct leat__m *m, unsigned entry)
{
	struct leat__stripe *s = leat__stripe(m, entry);

	/* Release: with the sum of who waits. */
	if (likely(m->p != NULL))
		store_release(&s->went, load_relaxed(&s->went) + 1);
	else
		fetch_add_acq_rel(&s->went, 1);
	leat__stripe_awaited(m, entry);
}

#endif
