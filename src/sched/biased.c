/* SPDX-License-Identifier: MIT */
/* See the header. */
#include "sched/biased.h"

#include "sched/scheduler.h"

#define STREAKS_FIRST 16
#define STREAKS_LATER 240 /* once it was taken away, where there is no crowd */

#define FIRST_LOOK_NS 400
#define DENSE_NS      80    /* a use at least so often, until the first look */
#define PATIENCE_NS   10000 /* with another's dense use */
#define ANSWER_NS     1000  /* who uses it densely needs a tenth */

/* --- to wait instead of taking turns */

static void relax_until(int64_t end)
{
	do
		leat__cpu_relax();
	while (leat__os_now() < end);
}

/* Let others go on who use b densely, until they pause or patience ends; false: they do not, or they change.  Each
   look takes the cache line from them, so it looks ever more seldom. */
static bool wait_while_used(const struct leat__biased *b)
{
	int64_t start = leat__os_now(), waited = FIRST_LOOK_NS;
	uint16_t owner = __atomic_load_n(&b->owner, __ATOMIC_RELAXED);
	uint8_t seen = __atomic_load_n(&b->streak, __ATOMIC_RELAXED), now;

	relax_until(start + waited);
	now = __atomic_load_n(&b->streak, __ATOMIC_RELAXED);
	if ((uint8_t)(now - seen) < FIRST_LOOK_NS / DENSE_NS ||
	    __atomic_load_n(&b->owner, __ATOMIC_RELAXED) != owner)
		return false;
	while (now != seen && waited < PATIENCE_NS) {
		seen = now;
		waited *= 3;
		relax_until(start + waited);
		now = __atomic_load_n(&b->streak, __ATOMIC_RELAXED);
	}
	return true;
}

/* Whether others' use is to be looked at, before b is taken from them. */
static bool looks_first(const struct leat__biased *b, uint16_t mark)
{
	uint16_t owner = __atomic_load_n(&b->owner, __ATOMIC_RELAXED);

	return (owner | LEAT__OWNED) != mark && owner != LEAT__DEAD &&
	       (owner & LEAT__OWNED || __atomic_load_n(&b->crowded, __ATOMIC_RELAXED) >= LEAT__CROWD);
}

/* What was found before b was locked. */
static void mind_the_crowd(struct leat__biased *b, bool looked, bool used, bool met)
{
	uint8_t crowded = b->crowded;

	if (looked)
		crowded = used ? LEAT__CROWD + 4 : crowded > LEAT__CROWD ? crowded - 1 : 0;
	else if (met && crowded < LEAT__CROWD)
		crowded++;
	__atomic_store_n(&b->crowded, crowded, __ATOMIC_RELAXED);
}

/* --- from one owner to another: by who has the word */

static void own(struct leat__biased *b, uint16_t mark)
{
	__atomic_store_n(&b->former, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&b->held, 0, __ATOMIC_RELAXED);
	__atomic_store_n(&b->owner, mark, __ATOMIC_RELAXED);
}

/* The caller has just seen that he is not the owner, or not any more. */
static void part_if_asked(struct leat__biased *b, uint16_t mark)
{
	__atomic_load_n(&b->owner, __ATOMIC_ACQUIRE);
	if (unlikely(__atomic_load_n(&b->crowded, __ATOMIC_ACQUIRE) & LEAT__ASKED) &&
	    __atomic_load_n(&b->former, __ATOMIC_RELAXED) == mark)
		__atomic_store_n(&b->held, LEAT__PARTED, __ATOMIC_RELEASE);
}

/* Whether the owner, who is not that any more, says so.  Who held b as such may have killed it before. */
static bool ask(struct leat__biased *b, uint16_t owner, uint16_t mark)
{
	int64_t end = leat__os_now() + ANSWER_NS;
	uint8_t crowded = b->crowded;
	bool parted;

	__atomic_store_n(&b->former, owner, __ATOMIC_RELAXED);
	__atomic_store_n(&b->crowded, crowded | LEAT__ASKED, __ATOMIC_RELEASE);
	if (!__atomic_compare_exchange_n(&b->owner, &owner, mark & ~LEAT__OWNED, false,
	                                 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		return false;
	do {
		leat__cpu_relax();
		parted = __atomic_load_n(&b->held, __ATOMIC_ACQUIRE) == LEAT__PARTED;
	} while (!parted && leat__os_now() < end);
	__atomic_store_n(&b->crowded, crowded, __ATOMIC_RELAXED);
	return parted;
}

/* He does not: wait until he is outside, or retreats. */
static void await_former(struct leat__biased *b)
{
	unsigned attempt = 0;
	uint16_t held;

	leat__fence_heavy();
	while ((held = __atomic_load_n(&b->held, __ATOMIC_ACQUIRE)) && held != LEAT__PARTED) {
		leat__cpu_relax();
		if (++attempt > 50)
			leat__os_backoff(attempt - 50);
	}
}

/* used: densely, so that it is worth while to be the next owner.  False: b is dead by now. */
static bool disown(struct leat__biased *b, uint16_t owner, uint16_t mark, bool used)
{
	bool parted = ask(b, owner, mark);

	if (!parted)
		await_former(b);
	if (__atomic_load_n(&b->owner, __ATOMIC_RELAXED) == LEAT__DEAD)
		return false;
	b->streak = 0;
	b->streaks = b->crowded ? 0 : (uint8_t)(STREAKS_FIRST - STREAKS_LATER);
	if (!parted)
		return true;
	if (used && mark != LEAT__NO_MARK && !leat__fenced)
		own(b, mark);
	else
		__atomic_store_n(&b->former, 0, __ATOMIC_RELAXED);
	return true;
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

static bool found_dead(struct leat__biased *b)
{
	leat__unlock(&b->word);
	return false;
}

COLD bool leat__biased_lock_slow(struct leat__biased *b, uint16_t mark)
{
	bool met = __atomic_load_n(&b->word, __ATOMIC_RELAXED), looks, used;
	uint16_t owner;

	part_if_asked(b, mark);
	looks = looks_first(b, mark);
	used = looks && wait_while_used(b);
	leat__lock(&b->word);
	owner = b->owner;
	LEAT_ASSERT(owner != mark);
	if (owner == LEAT__DEAD)
		return found_dead(b);
	mind_the_crowd(b, looks, used, met);
	if (owner & LEAT__OWNED) {
		if (!disown(b, owner, mark, used))
			return found_dead(b);
	} else if (owner != (mark & ~LEAT__OWNED)) {
		__atomic_store_n(&b->owner, mark & ~LEAT__OWNED, __ATOMIC_RELAXED);
		b->streak = 0;
	} else if (b->streak < LEAT__STREAK) {
		b->streak++;
	} else {
		b->streak = 0;
		if (mark == LEAT__NO_MARK || leat__fenced || ++b->streaks != STREAKS_FIRST)
			return true;
		if (former_is_gone(b, mark))
			own(b, mark);
		else
			b->streaks--; /* perhaps the next time */
	}
	return true;
}
