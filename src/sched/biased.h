/* SPDX-License-Identifier: MIT */
/*
 * A lock that one processor may own: it takes it without a locked instruction.
 *
 * Most channels are used by one processor for long, and an exchange takes more time than all the rest of
 * a buffered send.  So where one processor has the lock many times in a row, over and over, it becomes its
 * owner, and from then on says that it holds it by a plain store.  Whoever else wants it first takes the
 * property away, for which it pays with a membarrier:
 *
 *	owner                                   another, that has the word
 *	held = mark                             owner = nobody
 *	light fence                             heavy fence
 *	if owner is still mark: locked          wait until held is 0
 *	else held = 0, take the word            locked
 *
 * Of the two stores at least one is seen by the other side (fence.h): so either the owner retreats, or
 * the other waits for it.  The mark is a processor's, not a thread's: who holds such a lock is in the
 * runtime, where its processor stays with it, and processors change hands in order (machine.h).
 *
 * The owner's retreat takes time, if the kernel preempts its thread there as long as it likes.  Until then it
 * may write held once more.  So the lock is given to another only once the former owner's processor was
 * seen outside the runtime, or in other hands, since it was taken from it: under the scheduler's lock, under
 * which processors change hands.
 *
 * Before the fence the owner is asked to part from it.  One who has seen that he is not the owner any more writes
 * held never again, so he says so, as the last that he writes there, LEAT__PARTED; then no membarrier is needed, and
 * who asked may be the owner at once.  Who is silent for a microsecond is fenced.
 *
 * Where several processors use a lock all the time, each use takes its cache line, and those of what it guards, from
 * another, which needs ten times as long as the use.  So whoever finds the lock owned, or meets others at it again and
 * again, looks whether their use is that dense, and lets them go on for 10 us before he takes it, to go on as long.
 *
 * Invariants
 *  - Has the lock: who has the word, while nobody owns it; the owner, with held.
 *  - owner changes only under the word, so who has it and finds no owner knows that there will be none.
 *  - held is 0 or the mark of the owner, or of the former one while that retreats, or LEAT__PARTED from when a former
 *    one says so until somebody owns the lock.
 *  - LEAT__ASKED ends before the heavy fence, or, once the former owner has parted, before the word is left.  So an old
 *    question is answered by nobody but a former owner who has not been outside since, for whom others wait as above.
 *  - A dead lock is one whose owner is LEAT__DEAD, nobody's mark: each lock of it takes the slow path, as far as
 *    nobody has written to its memory since, and finds that out there.  What frees the memory of a lock kills it.
 *
 * What others pay: where the lock is used densely up to 10 us for each processor that does so; else 400 ns to see that,
 * and a microsecond and a membarrier (2 us, in a virtual machine 50) once in 16 streaks of 256 locks, each of which saves
 * 6 ns once the lock has an owner; after the first time once in 240.  Who waits may hold other locks meanwhile: a select
 * those of its channels, who fires a timer its queue's.
 *
 * After Dice, Huang and Yang, Asymmetric Dekker Synchronization (2001), and Kawachiya, Koseki and
 * Onodera, Lock Reservation (2002).  On two processors of an Intel Xeon, where an exchange takes 6 ns:
 * chanbuf 21.3 to 13.2 ns, ring 40.8 to 29.9.  Of an EPYC, with waiting and parting: chanmpmc 35 to 14.
 */
#ifndef LEAT_SCHED_BIASED_H
#define LEAT_SCHED_BIASED_H

#include "os/lock.h"
#include "sched/machine.h"

enum {
	LEAT__OWNED = 0x8000,
	LEAT__MARK_ANEW = 0x4000,
	LEAT__NO_MARK = 0xbfff, /* of who has no processor, and can own no lock */
	LEAT__DEAD = 0xffff,
	LEAT__PARTED = 0x3fff, /* nobody's mark */
	LEAT__STREAK = 255,
	LEAT__CROWD = 8, /* from here on others' use is looked at before the lock is taken from them */
	LEAT__ASKED = 0x80, /* former is asked to part */
};

/* Zero: free, and owned by nobody. */
struct leat__biased {
	uint8_t streak; /* locks in a row by who took it last, at most LEAT__STREAK; an owner's wrap */
	/* os/lock.h.  Not first: gcc 12 knows no address of a word but a computed one, and for that of the structure
	   itself does so before it is known that the word is needed. */
	uint8_t word;
	uint8_t streaks; /* of that length, by whomever, since it was taken from an owner */
	uint8_t crowded; /* others met, up to LEAT__CROWD, and what looks make of it; LEAT__ASKED */
	uint16_t owner;  /* the mark of who took it last, without LEAT__OWNED unless that owns it */
	uint16_t held;   /* the mark of the owner while it has the lock as such; LEAT__PARTED */
	uint16_t former; /* the mark of who owned it before, and may still have to retreat; 0: nobody */
};

/* Who the caller is, in the runtime, until it parks: with LEAT__OWNED.  What a thread without a processor
   says it is, as one that idles and fires timers, it says at the lock and at the unlock: it may be given
   one in between. */
static ALWAYS_INLINE uint16_t leat__mark(const struct leat__m *m)
{
	return likely(m->p != NULL) ? m->p->mark : LEAT__NO_MARK;
}

/* Where no marks of before count: in the child of a fork that has no membarrier any more. */
static inline uint16_t leat__mark_new(int id, bool anew)
{
	return (uint16_t)(LEAT__OWNED | (anew ? LEAT__MARK_ANEW : 0) | id);
}

static inline int leat__mark_id(uint16_t mark)
{
	return mark & ~(LEAT__OWNED | LEAT__MARK_ANEW);
}

/* Lock b, whatever it takes: true.  False: it is dead, and not locked. */
bool leat__biased_lock_slow(struct leat__biased *b, uint16_t mark);

/* Lock b, where that needs no call. */
static ALWAYS_INLINE bool leat__biased_trylock(struct leat__biased *b, uint16_t mark)
{
	uint16_t owner = __atomic_load_n(&b->owner, __ATOMIC_RELAXED);

	if (likely(owner == mark)) {
		__atomic_store_n(&b->held, mark, __ATOMIC_RELAXED);
		compiler_barrier(); /* the light fence: where that is a real one, there are no owners */
		if (likely(__atomic_load_n(&b->owner, __ATOMIC_RELAXED) == mark)) {
			leat__count_up(&b->streak);
			return true;
		}
		__atomic_store_n(&b->held, 0, __ATOMIC_RELAXED);
		return false;
	}
	if (unlikely(!leat__trylock(&b->word)))
		return false;
	owner = b->owner;
	mark &= ~LEAT__OWNED;
	if (likely(owner == mark) && likely(b->streak < LEAT__STREAK)) {
		b->streak++;
	} else if (likely(owner != mark) && likely(!(owner & LEAT__OWNED)) &&
	           likely(b->crowded < LEAT__CROWD)) {
		__atomic_store_n(&b->owner, mark, __ATOMIC_RELAXED);
		b->streak = 0;
	} else {
		leat__unlock(&b->word);
		return false;
	}
	return true;
}

/* The same; what can never be dead need not look. */
static ALWAYS_INLINE bool leat__biased_lock(struct leat__biased *b, uint16_t mark)
{
	return likely(leat__biased_trylock(b, mark)) || leat__biased_lock_slow(b, mark);
}

/* By who locked it. */
static ALWAYS_INLINE void leat__biased_unlock(struct leat__biased *b, uint16_t mark)
{
	if (likely(__atomic_load_n(&b->held, __ATOMIC_RELAXED) == mark))
		__atomic_store_n(&b->held, 0, __ATOMIC_RELEASE);
	else
		leat__unlock(&b->word);
}

/* By who has locked it, or by the only one who still knows it. */
static inline void leat__biased_kill(struct leat__biased *b)
{
	__atomic_store_n(&b->owner, LEAT__DEAD, __ATOMIC_RELAXED);
}

#endif
