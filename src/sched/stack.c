/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *  - A stack is in exactly one place: bound to a goroutine, in one processor's cache, or in the pool.
 *  - The pool holds whole batches of LEAT__STACK_BATCH; its lock protects it and the slab.
 *
 * Slots are carved from slabs of 1 GiB of address space, committed and guarded a batch at a time: one
 * system call each for 32 stacks.  Slabs are never unmapped.
 *
 * Rejected: one mmap per stack (two mappings each; the kernel allows 65,530), and guards by default of
 * one page (a function with a large frame steps over it: compilers do not probe unless told).
 */
#include "sched/stack.h"

#include "os/lock.h"

#define PAGE    ((size_t)4096)
#define STRIDE  (LEAT__STACK_GUARD + LEAT__STACK_USABLE + PAGE)
#define BATCH   LEAT__STACK_BATCH
#define SLAB    ((size_t)1 << 30)
#define COLOURS 16
#define COLOUR  128
#define CANARY  UINT64_C(0x6c6561745f63616e)

_Static_assert(sizeof(struct leat__stack) + (COLOURS - 1) * COLOUR <= PAGE, "header in the slack");

static struct {
	uint32_t lock;
	struct leat__stack *batches;
	char *slab;
	size_t used;   /* bytes of the slab */
	size_t carved; /* stacks so far */
} pool;

/* Write the header of the stack whose slot is at base. */
static struct leat__stack *init(char *base, size_t slot_bytes, size_t colour, bool guarded)
{
	char *top = base + slot_bytes - sizeof(struct leat__stack) - colour;
	struct leat__stack *s = (struct leat__stack *)top;

	s->low = base + LEAT__STACK_GUARD;
	s->guarded = guarded;
	if (!guarded)
		*(uint64_t *)(void *)s->low = CANARY;
	s->san.low = s->low;
	s->san.bytes = (size_t)(top - s->low);
	s->valgrind_id = leat__valgrind_add_stack(s->low, top);
	return s;
}

/* Address space for a batch, and the number of its first stack. */
static char *claim_slots(size_t *first)
{
	char *base = NULL;

	leat__lock(&pool.lock);
	if (!pool.slab || pool.used + STRIDE * BATCH > SLAB) {
		pool.slab = leat__os_reserve(SLAB);
		pool.used = 0;
	}
	if (pool.slab) {
		base = pool.slab + pool.used;
		pool.used += STRIDE * BATCH;
		*first = pool.carved;
		pool.carved += BATCH;
	}
	leat__unlock(&pool.lock);
	return base;
}

static COLD struct leat__stack *carve_batch(void)
{
	struct leat__range guards[BATCH];
	struct leat__stack *list = NULL;
	size_t guarded, first;
	char *base = claim_slots(&first);

	if (!base || leat__os_commit(base, STRIDE * BATCH) != 0)
		return NULL;
	for (size_t i = 0; i < BATCH; i++)
		guards[i] = (struct leat__range){base + i * STRIDE, LEAT__STACK_GUARD};
	guarded = leat__os_guard(guards, BATCH);
	for (size_t i = BATCH; i-- > 0;) {
		struct leat__stack *s =
		    init(base + i * STRIDE, STRIDE, (first + i) % COLOURS * COLOUR, i < guarded);

		s->next = list;
		list = s;
	}
	return list;
}

static COLD struct leat__stack *get_slow(struct leat__stack_cache *cache)
{
	struct leat__stack *batch = cache->spare;

	cache->spare = NULL;
	if (!batch) {
		leat__lock(&pool.lock);
		batch = pool.batches;
		if (batch)
			pool.batches = batch->next_batch;
		leat__unlock(&pool.lock);
	}
	if (!batch)
		batch = carve_batch();
	if (!batch)
		return NULL;
	cache->list = batch->next;
	cache->count = BATCH - 1;
	return batch;
}

struct leat__stack *leat__stack_get(struct leat__stack_cache *cache)
{
	struct leat__stack *s = cache->list;

	if (unlikely(!s))
		return get_slow(cache);
	cache->list = s->next;
	cache->count--;
	return s;
}

static COLD void put_slow(struct leat__stack_cache *cache)
{
	if (cache->spare) {
		leat__lock(&pool.lock);
		cache->spare->next_batch = pool.batches;
		pool.batches = cache->spare;
		leat__unlock(&pool.lock);
	}
	cache->spare = cache->list;
	cache->list = NULL;
	cache->count = 0;
}

void leat__stack_put(struct leat__stack_cache *cache, struct leat__stack *s)
{
	/* The full list goes first, so s, which the caller may run on, stays with this processor. */
	if (unlikely(cache->count == BATCH))
		put_slow(cache);
	s->next = cache->list;
	cache->list = s;
	cache->count++;
}

struct leat__stack *leat__stack_map(size_t bytes)
{
	size_t slot = (LEAT__STACK_GUARD + bytes + 2 * PAGE) & ~(PAGE - 1);
	struct leat__range guard;
	struct leat__stack *s;
	char *base = leat__os_map(slot);

	if (!base)
		return NULL;
	guard = (struct leat__range){base, LEAT__STACK_GUARD};
	s = init(base, slot, 0, leat__os_guard(&guard, 1) == 1);
	s->base = base;
	s->mapped = slot;
	return s;
}

void leat__stack_unmap(struct leat__stack *s)
{
	leat__valgrind_drop_stack(s->valgrind_id);
	leat__os_unmap(s->base, s->mapped);
}

void leat__stack_forget(struct leat__stack *s)
{
	struct leat__stack header = *s;
	uintptr_t end = ((uintptr_t)(s + 1) + PAGE - 1) & ~(PAGE - 1);

	if (!(leat__sanitizers & LEAT__TSAN))
		return;
	leat__san_forget(s->low, end - (uintptr_t)s->low);
	*s = header;
	if (!s->guarded)
		*(uint64_t *)(void *)s->low = CANARY;
}

bool leat__stack_intact(const struct leat__stack *s)
{
	return s->guarded || *(uint64_t *)(void *)s->low == CANARY;
}

void leat__stack_pool_lock(void)
{
	leat__lock(&pool.lock);
}

void leat__stack_pool_unlock(void)
{
	leat__unlock(&pool.lock);
}
