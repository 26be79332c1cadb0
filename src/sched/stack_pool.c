/* SPDX-License-Identifier: MIT */
/*
 * The pool of stacks, and how idle ones give their pages back.
 *
 * Invariants (pool's lock)
 *  - The pool holds batches: chains of stacks of one class by next, whose first knows how many they are
 *    and is linked by next_batch.  Only plain threads, which have no cache, leave single ones.
 *  - A batch stands on one shelf.  Put on warm, it goes by way of aging to leaving as leat__stack_pool_age
 *    is called, and from there to cold, by leat__stack_pool_step.  Who needs a batch takes the warmest.
 *  - Of a cold batch only the first stack's top is there (its header, and below it notes of where the
 *    others are), all other pages have been given back.  What the headers held is computed anew.
 *  - Packed stacks share their pages, so a batch of them goes home instead, each to its chunk, in whose
 *    last page the chunk's own list begins.  A chunk with all at home is a cold batch; of others the
 *    next who needs a batch takes what is there.
 *
 * Giving back is done by one thread, the monitor, with the lock held only while lists change; what it
 * works on is on no shelf meanwhile.
 *
 * Pages go by MADV_DONTNEED.  MADV_FREE is cheaper when the stack is used again (0.25 against 1.8 us for
 * each page touched; to give back a stack of 16 touched pages costs 6.7 against 8 us), but the pages stay
 * in the resident set until the system runs short: nobody could see that they are to be had.  After
 * more than a second in the pool the next use is not near.
 */
#include "sched/stack_pool.h"

#include "os/lock.h"

#define STEP 8 /* batches that a step gives back at most: 256 stacks, in 1 to 2 ms */

/* Where a stack of a cold batch is. */
struct note {
	uintptr_t header; /* its address, plus 1 if it is guarded */
	unsigned valgrind_id;
};

struct shelf {
	struct leat__stack *warm, *aging, *leaving, *cold;
	struct leat__stack_chunk *partial;
	struct leat__stack *singles; /* by next */
};

static struct {
	uint8_t lock;
	struct shelf of[LEAT__STACK_CLASSES];
} pool;

static char *page_after(const void *p)
{
	return (char *)(((uintptr_t)p + LEAT__PAGE - 1) & ~(uintptr_t)(LEAT__PAGE - 1));
}

static void push(struct leat__stack **shelf, struct leat__stack *batch)
{
	batch->next_batch = *shelf;
	*shelf = batch;
}

static struct leat__stack *pop(struct leat__stack **shelf)
{
	struct leat__stack *batch = *shelf;

	if (batch)
		*shelf = batch->next_batch;
	return batch;
}

/* --- chunks of packed stacks */

static char *chunk_base(const struct leat__stack *s)
{
	return (char *)(s + 1) - (s->index + 1U) * leat__stack_sizes[s->class].slot;
}

static size_t chunk_bytes(unsigned class)
{
	const struct leat__stack_size *size = &leat__stack_sizes[class];

	return ((size_t)size->slot * size->batch + LEAT__PAGE - 1) & ~(LEAT__PAGE - 1);
}

static struct leat__stack_chunk *chunk_of(const struct leat__stack *s)
{
	return (struct leat__stack_chunk *)(chunk_base(s) + chunk_bytes(s->class)) - 1;
}

static void unlink_chunk(struct shelf *shelf, struct leat__stack_chunk *c)
{
	if (c->next)
		c->next->previous = c->previous;
	if (c->previous)
		c->previous->next = c->next;
	else
		shelf->partial = c->next;
	c->next = c->previous = NULL;
}

static struct leat__stack *take_partial(struct shelf *shelf)
{
	struct leat__stack_chunk *c = shelf->partial;
	struct leat__stack *batch;

	if (!c)
		return NULL;
	unlink_chunk(shelf, c);
	batch = c->home;
	batch->count = (uint8_t)c->count;
	c->home = NULL;
	c->count = 0;
	return batch;
}

/* s goes home; true: it was the last of its chunk, which is then on no list.  Locked. */
static bool bring_home(struct shelf *shelf, struct leat__stack *s)
{
	struct leat__stack_chunk *c = chunk_of(s);

	s->next = c->home;
	c->home = s;
	if (++c->count == leat__stack_sizes[s->class].batch) {
		if (c->count > 1)
			unlink_chunk(shelf, c);
		return true;
	}
	if (c->count == 1) {
		c->next = shelf->partial;
		if (c->next)
			c->next->previous = c;
		shelf->partial = c;
	}
	return false;
}

/* --- cold batches */

static struct note *notes_of(struct leat__stack *first)
{
	return (struct note *)(void *)first - first->count;
}

/* The lowest usable byte of the stack whose header is at s. */
static char *low_of(struct leat__stack *s, unsigned class)
{
	const struct leat__stack_size *size = &leat__stack_sizes[class];

	if (size->packed)
		return (char *)(s + 1) - size->slot;
	return page_after(s + 1) - LEAT__PAGE - size->usable;
}

static void chill_guarded(struct leat__stack *batch)
{
	struct leat__range ranges[LEAT__STACK_BATCH];
	struct note *notes = notes_of(batch);
	size_t n = 0;

	for (struct leat__stack *s = batch; s; s = s->next) {
		char *end = page_after(s + 1) - (s == batch ? LEAT__PAGE : 0);

		notes[n] = (struct note){(uintptr_t)s | !(s->special & LEAT__UNGUARDED), s->valgrind_id};
		ranges[n++] = (struct leat__range){s->low, (size_t)(end - s->low)};
	}
	leat__os_discard(ranges, n);
}

/* The stacks of a chunk all of which are at home; its first, the batch, is returned. */
static struct leat__stack *chill_chunk(struct leat__stack *any)
{
	struct leat__stack_chunk *c = chunk_of(any);
	char *base = chunk_base(any), *kept;
	struct leat__stack *first = c->home;
	struct leat__range range;

	while (first->index != 0)
		first = first->next;
	first->count = leat__stack_sizes[first->class].batch;
	for (struct leat__stack *s = c->home; s; s = s->next)
		notes_of(first)[s->index] =
		    (struct note){(uintptr_t)s | !(s->special & LEAT__UNGUARDED), s->valgrind_id};
	*c = (struct leat__stack_chunk){0};
	kept = page_after(first + 1);
	range = (struct leat__range){kept, (size_t)(base + chunk_bytes(first->class) - kept)};
	leat__os_discard(&range, 1);
	return first;
}

/* Make a cold batch as it was. */
static void warm_up(struct leat__stack *batch)
{
	unsigned class = batch->class;
	unsigned count = batch->count;
	struct note *notes = notes_of(batch); /* below the header, so they outlive its being written */
	struct leat__stack *list = NULL;

	for (unsigned i = count; i-- > 0;) {
		struct leat__stack *s = (struct leat__stack *)(notes[i].header & ~(uintptr_t)1);

		leat__stack_init(low_of(s, class), (char *)(s + 1), class, notes[i].header & 1);
		s->valgrind_id = notes[i].valgrind_id;
		s->index = (uint8_t)i;
		s->next = list;
		list = s;
	}
	batch->count = (uint8_t)count;
}

/* --- taking and putting */

struct leat__stack *leat__stack_pool_take(unsigned class)
{
	struct shelf *shelf = &pool.of[class];
	struct leat__stack *batch;
	bool cold = false;

	leat__lock(&pool.lock);
	batch = pop(&shelf->warm);
	if (!batch)
		batch = pop(&shelf->aging);
	if (!batch)
		batch = pop(&shelf->leaving);
	if (!batch)
		batch = take_partial(shelf);
	if (!batch) {
		batch = pop(&shelf->cold);
		cold = true;
	}
	leat__unlock(&pool.lock);
	if (!batch)
		return leat__stack_carve(class);
	if (cold)
		warm_up(batch);
	return batch;
}

struct leat__stack *leat__stack_pool_take_single(unsigned class)
{
	struct shelf *shelf = &pool.of[class];
	struct leat__stack *s, *rest, *last;

	leat__lock(&pool.lock);
	s = shelf->singles;
	if (s)
		shelf->singles = s->next;
	leat__unlock(&pool.lock);
	if (s)
		return s;
	s = leat__stack_pool_take(class);
	if (!s || !s->next)
		return s;
	rest = s->next;
	for (last = rest; last->next; last = last->next)
		;
	leat__lock(&pool.lock);
	last->next = shelf->singles;
	shelf->singles = rest;
	leat__unlock(&pool.lock);
	return s;
}

void leat__stack_pool_put(struct leat__stack *batch, bool idle)
{
	struct shelf *shelf = &pool.of[batch->class];

	leat__lock(&pool.lock);
	push(idle ? &shelf->aging : &shelf->warm, batch);
	leat__unlock(&pool.lock);
}

/* --- giving back */

void leat__stack_pool_age(void)
{
	leat__lock(&pool.lock);
	for (unsigned class = 0; class < LEAT__STACK_CLASSES; class ++) {
		struct shelf *shelf = &pool.of[class];

		if (shelf->leaving)
			continue; /* the last time's is not done yet */
		shelf->leaving = shelf->aging;
		shelf->aging = shelf->warm;
		shelf->warm = NULL;
	}
	leat__unlock(&pool.lock);
}

static void give_back_packed(struct shelf *shelf, struct leat__stack *batch)
{
	struct leat__stack *after;

	for (struct leat__stack *s = batch; s; s = after) {
		bool complete;

		after = s->next;
		leat__lock(&pool.lock);
		complete = bring_home(shelf, s);
		leat__unlock(&pool.lock);
		if (!complete)
			continue;
		s = chill_chunk(s);
		leat__lock(&pool.lock);
		push(&shelf->cold, s);
		leat__unlock(&pool.lock);
	}
}

bool leat__stack_pool_step(void)
{
	unsigned left = STEP;

	for (unsigned class = 0; class < LEAT__STACK_CLASSES; class ++) {
		struct shelf *shelf = &pool.of[class];

		for (;;) {
			struct leat__stack *batch;

			leat__lock(&pool.lock);
			batch = pop(&shelf->leaving);
			leat__unlock(&pool.lock);
			if (!batch)
				break;
			if (leat__stack_sizes[class].packed) {
				give_back_packed(shelf, batch);
			} else {
				chill_guarded(batch);
				leat__lock(&pool.lock);
				push(&shelf->cold, batch);
				leat__unlock(&pool.lock);
			}
			if (--left == 0)
				return true;
		}
	}
	return left < STEP;
}

bool leat__stack_pool_warm(void)
{
	bool warm = false;

	leat__lock(&pool.lock);
	for (unsigned class = 0; class < LEAT__STACK_CLASSES; class ++) {
		struct shelf *shelf = &pool.of[class];

		warm |= shelf->warm || shelf->aging || shelf->leaving;
	}
	leat__unlock(&pool.lock);
	return warm;
}

void leat__stack_pool_lock(void)
{
	leat__lock(&pool.lock);
}

void leat__stack_pool_unlock(void)
{
	leat__unlock(&pool.lock);
}
