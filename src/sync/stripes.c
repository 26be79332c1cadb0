/* SPDX-License-Identifier: MIT */
/* See the header. */
#include "sync/stripes.h"

#include "sched/panic.h"

enum {
	STEP_FIRST = 8,
	STEP_MOST = 1 << 20,
	LOOKS =
	    16, /* at entries that could be taken away, per entry wanted: each is a line per processor */
};

struct leat__striped leat__striped[LEAT__STRIPED];
struct leat__stripe leat__stripes[LEAT__MAX_PROCS + 1][LEAT__STRIPED];

static _Atomic uint32_t hand; /* goes round the table: a hint */

static unsigned number(const struct leat__striped *e)
{
	return (unsigned)(e - leat__striped);
}

/* --- sums.  Processors are never unmade, and who comes on a new one knew that it was made. */

uint32_t leat__striped_glance(const struct leat__striped *e)
{
	int made = load_acquire(&leat__sched.made);
	const struct leat__stripe *s = &leat__stripes[LEAT__NO_PROCESSOR][number(e)];
	uint32_t sum = load_acquire(&s->came) - load_acquire(&s->went);

	for (int i = 0; i < made; i++) {
		s = &leat__stripes[i][number(e)];
		sum += load_acquire(&s->came) - load_acquire(&s->went);
	}
	return sum;
}

uint32_t leat__striped_sum(const struct leat__striped *e)
{
	uint32_t sum = leat__striped_glance(e);

	if (unlikely((int32_t)sum < 0))
		leat__fatal("sync: RUnlock of unlocked RWMutex");
	return sum;
}

static uint32_t came(const struct leat__striped *e)
{
	int made = load_acquire(&leat__sched.made);
	uint32_t sum = load_relaxed(&leat__stripes[LEAT__NO_PROCESSOR][number(e)].came);

	for (int i = 0; i < made; i++)
		sum += load_relaxed(&leat__stripes[i][number(e)].came);
	return sum;
}

uint32_t leat__striped_uses(const struct leat__striped *e)
{
	return came(e) - e->began;
}

/* Close it, and sum. */
static uint32_t leat__close_and_sum(struct leat__striped *e)
{
	store_relaxed(&e->owner, NULL);
	leat__fence_heavy(); /* with those of readers who come */
	return leat__striped_sum(e);
}

uint32_t leat__striped_look(struct leat__striped *e)
{
	const void *owner = load_relaxed(&e->owner);
	uint32_t sum = leat__close_and_sum(e);

	store_relaxed(&e->owner, owner);
	return sum;
}

void leat__striped_add(const struct leat__m *m, struct leat__striped *e, uint32_t n)
{
	leat__stripe_come(m, number(e), n);
}

/* --- debts */

static void sink(struct leat__stripe *s, uint32_t step)
{
	int32_t sunk = (int32_t)(load_relaxed(&s->went) - load_relaxed(&s->came));

	store_relaxed(&s->debt, sunk < INT32_MAX - (int32_t)step ? sunk + (int32_t)step : INT32_MAX);
}

void leat__striped_sink(const struct leat__m *m, struct leat__striped *e)
{
	struct leat__stripe *s = leat__stripe(m, number(e));

	if (s->step < STEP_FIRST)
		s->step = STEP_FIRST;
	sink(s, s->step);
	if (s->step < STEP_MOST)
		s->step *= 2;
}

/* For a new owner no stripe has sunk yet, wherever it stands. */
static void settle(struct leat__striped *e)
{
	int made = load_acquire(&leat__sched.made);

	for (int i = 0; i <= made; i++) {
		struct leat__stripe *s = &leat__stripes[i < made ? i : LEAT__NO_PROCESSOR][number(e)];

		s->step = 0;
		sink(s, 0);
	}
}

/* --- owners */

static struct leat__striped *next(void)
{
	return &leat__striped[fetch_add_relaxed(&hand, 1) % LEAT__STRIPED];
}

/* Locked, or NULL. */
static struct leat__striped *find_free(void)
{
	for (int i = 0; i < LEAT__STRIPED; i++) {
		struct leat__striped *e = next();

		if (load_relaxed(&e->owner) || !leat__trylock(&e->lock))
			continue;
		if (!load_relaxed(&e->owner))
			return e;
		leat__unlock(&e->lock);
	}
	return NULL;
}

/* One that was used by nobody lately, locked and without an owner; or NULL. */
static struct leat__striped *leat__evict(void)
{
	for (int i = 0; i < LOOKS; i++) {
		struct leat__striped *e = next();
		const void *owner;
		uint32_t now;

		if (!leat__trylock(&e->lock))
			continue;
		now = came(e);
		if (now == e->seen && !load_relaxed(&e->awaited)) {
			owner = load_relaxed(&e->owner);
			if (leat__close_and_sum(e) == 0)
				return e;
			store_relaxed(&e->owner, owner);
		}
		e->seen = now;
		leat__unlock(&e->lock);
	}
	return NULL;
}

struct leat__striped *leat__striped_take(const void *owner)
{
	struct leat__striped *e = find_free();

	if (!e)
		e = leat__evict();
	if (!e)
		return NULL;
	settle(e);
	e->began = e->seen = came(e);
	store_relaxed(&e->owner, owner);
	return e;
}

void leat__striped_give(struct leat__striped *e)
{
	store_relaxed(&e->owner, NULL);
}

void leat__striped_left(struct leat__m *m, struct leat__striped *e)
{
	struct leat__waiter *w = NULL;

	leat__lock(&e->lock);
	if (load_relaxed(&e->awaited) && leat__striped_sum(e) == 0) {
		w = leat__waiters_take(&e->writer);
		store_relaxed(&e->awaited, false);
	}
	leat__unlock(&e->lock);
	if (w)
		leat__ready(m, w->g, false);
}
