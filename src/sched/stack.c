/* SPDX-License-Identifier: MIT */
/*
 * Making stacks, and the caches of processors.  The pool that processors share is in stack_pool.c.
 *
 * Invariants
 *  - A stack is in exactly one place: bound to a goroutine, in one processor's cache, or in the pool.
 *  - A cache is touched by who holds its processor, or, while nobody does, under the scheduler's lock.
 *  - A cache's list and room together are a batch of the class, but for a cache that is all zero.
 *
 * Slots are carved from slabs of 1 GiB of address space, for all classes, and guarded, a batch of 32 at a
 * time.  Slabs are never unmapped.  Each begins with a list of its batches, in the order of their
 * addresses, by which the child of a fork finds what stack an address is on.
 *
 * A slab is committed (made writable, which takes no memory) ahead of its use, as much again as stacks have had:
 * that takes the lock of the address space, and who touches the slab's pages meanwhile sleeps.
 *
 * Classes are powers of two, and the usual size.  Batches of the larger ones are shorter, so that not
 * much memory lies in caches: two batches of 2 MiB at most, or two stacks.  What is larger than 8 MiB is mapped and unmapped each time:
 * clearing that much costs more than the two system calls.
 *
 * Rejected: one mmap per stack (two mappings each; the kernel allows 65,530), and guards by default of
 * one page (a function with a large frame steps over it: compilers do not probe unless told).
 */
#include "sched/stack.h"

#include "os/lock.h"
#include "sched/stack_pool.h"

#include <string.h>

#define PAGE     LEAT__PAGE
#define SLAB     ((size_t)1 << 30)
#define COLOURS  16
#define COLOUR   128
#define CANARY   UINT64_C(0x6c6561745f63616e)
#define ZEROES   8 /* words */
#define FAR_DOWN ((uintptr_t)1 << 20)

_Static_assert(sizeof(struct leat__stack) + (COLOURS - 1) * COLOUR <= PAGE, "header in the slack");
_Static_assert(LEAT__STACK_BATCH * sizeof(struct leat__range) <= PAGE, "the ranges of a batch");

#define GUARDED(kib, n)                                                                            \
	{                                                                                              \
		(kib) << 10, LEAT__STACK_GUARD + ((kib) << 10) + PAGE, n, false                            \
	}
/* Whole lines, an even number of them but not of pages: tops fall into all sets of the cache. */
#define PACKED(bytes, n)                                                                           \
	{                                                                                              \
		(bytes) + 128 - sizeof(struct leat__stack), (bytes) + 128, n, true                         \
	}

const struct leat__stack_size leat__stack_sizes[LEAT__STACK_CLASSES] = {
    [LEAT__STACK_USUAL] = GUARDED(192, LEAT__STACK_BATCH),
    [LEAT__STACK_2K] = PACKED(2048, 30),
    [LEAT__STACK_4K] = PACKED(4096, 31),
    [LEAT__STACK_8K] = GUARDED(8, LEAT__STACK_BATCH),
    GUARDED(16, LEAT__STACK_BATCH),
    GUARDED(32, LEAT__STACK_BATCH),
    GUARDED(64, LEAT__STACK_BATCH),
    GUARDED(128, LEAT__STACK_BATCH),
    GUARDED(256, 8),
    GUARDED(512, 4),
    GUARDED(1024, 2),
    GUARDED(2048, 1),
    GUARDED(4096, 1),
    [LEAT__STACK_8M] = GUARDED(8192, 1),
};

/* What a slab begins with. */
struct directory {
	struct directory *before; /* of the slab before it, or NULL */
	size_t bytes;             /* of the slab */
	size_t batches;
	struct batch {
		uint32_t page; /* of the slab, where it begins */
		uint8_t class;
		uint8_t colour; /* of its first stack */
	} batch[];
};

#define BATCH_MIN ((size_t)128 << 10) /* no batch is smaller */

static struct {
	uint8_t lock;
	char *slab;                    /* begins with its directory */
	size_t used, committed, bytes; /* of the slab */
	size_t claimed;                /* of all slabs */
	size_t carved;                 /* stacks so far */
	struct leat__stack
	    *own; /* those that have mappings of their own: by next, and next_batch back */
} slabs;

uint8_t leat__stack_watched;

static _Atomic bool out; /* the last attempt to carve stacks of the usual size failed */

unsigned leat__stack_class(size_t bytes)
{
	unsigned class = LEAT__STACK_2K;

	if (leat__sanitizers && bytes < LEAT__STACK_USABLE)
		return LEAT__STACK_USUAL;
	while (class < LEAT__STACK_CLASSES && leat__stack_sizes[class].usable < bytes)
		class ++;
	if (class <= LEAT__STACK_4K && leat__os_binds_lazily())
		class = LEAT__STACK_8K;
	if (bytes <= LEAT__STACK_USABLE && leat__stack_sizes[class].usable > LEAT__STACK_USABLE)
		class = LEAT__STACK_USUAL;
	return class;
}

/* Where there was to be a guard the canary is that the lowest words are zero, since a word written there
   would take a page for each stack. */
static void place_canary(struct leat__stack *s)
{
	if (s->class != LEAT__STACK_OWN && leat__stack_sizes[s->class].packed)
		*(uint64_t *)(void *)s->low = CANARY;
}

static bool canary_lives(const struct leat__stack *s)
{
	const uint64_t *low = (const uint64_t *)(const void *)s->low;
	uint64_t all = 0;

	if (s->class != LEAT__STACK_OWN && leat__stack_sizes[s->class].packed)
		return *low == CANARY;
	for (int i = 0; i < ZEROES; i++)
		all |= low[i];
	return all == 0;
}

struct leat__stack *leat__stack_init(char *low, char *end, unsigned class, bool guarded)
{
	struct leat__stack *s = (struct leat__stack *)end - 1;

	*s = (struct leat__stack){.low = low, .class = (uint8_t) class};
	s->special = leat__stack_watched | (guarded ? 0 : LEAT__UNGUARDED);
	if (!guarded)
		place_canary(s);
	s->san.low = low;
	s->san.bytes = (size_t)((char *)s - low);
	return s;
}

static struct directory *directory(void)
{
	return (struct directory *)(void *)slabs.slab;
}

static size_t directory_bytes(size_t slab_bytes)
{
	size_t bytes = sizeof(struct directory) + slab_bytes / BATCH_MIN * sizeof(struct batch);

	return (bytes + PAGE - 1) & ~(PAGE - 1);
}

/* Commit the slab as far as need be, or, where that is to be had, further.  Locked. */
static bool commit(size_t need)
{
	size_t ahead = slabs.claimed < slabs.bytes - need ? slabs.claimed : slabs.bytes - need;
	char *from = slabs.slab + slabs.committed;

	if (need <= slabs.committed)
		return true;
	if (leat__os_commit(from, need + ahead - slabs.committed) == 0)
		slabs.committed = need + ahead;
	else if (leat__os_commit(from, need - slabs.committed) == 0)
		slabs.committed = need;
	return need <= slabs.committed;
}

/* The next slab has room for so much; where address space is limited, it is as large as there is.  Locked. */
static bool new_slab(size_t bytes)
{
	struct directory *before = directory();
	size_t all = SLAB, own = directory_bytes(all);
	char *slab = NULL;

	for (; all >= own + bytes; all /= 2, own = directory_bytes(all))
		if ((slab = leat__os_reserve(all)))
			break;
	if (slab && leat__os_commit(slab, own) != 0) {
		leat__os_unmap(slab, all);
		slab = NULL;
	}
	if (!slab)
		return false;
	slabs.slab = slab;
	slabs.used = slabs.committed = own;
	slabs.bytes = all;
	*directory() = (struct directory){.before = before, .bytes = all};
	return true;
}

/* Memory for a batch, and the number of its first stack. */
static char *claim(size_t bytes, unsigned class, size_t *first)
{
	struct directory *d;
	char *base = NULL;

	leat__lock(&slabs.lock);
	if (((slabs.slab && slabs.used + bytes <= slabs.bytes) || new_slab(bytes)) &&
	    commit(slabs.used + bytes)) {
		d = directory();
		d->batch[d->batches++] = (struct batch){.page = (uint32_t)(slabs.used / PAGE),
		                                        .class = (uint8_t) class,
		                                        .colour = (uint8_t)(slabs.carved % COLOURS)};
		base = slabs.slab + slabs.used;
		slabs.used += bytes;
		slabs.claimed += bytes;
		*first = slabs.carved;
		slabs.carved += leat__stack_sizes[class].batch;
	}
	leat__unlock(&slabs.lock);
	return base;
}

static struct leat__stack *carve_guarded(char *base, unsigned class, size_t first)
{
	const struct leat__stack_size *size = &leat__stack_sizes[class];
	/* The caller may be on a small stack, so they lie where the first of the new ones will have its header. */
	struct leat__range *ranges = (struct leat__range *)(void *)(base + size->slot - PAGE);
	struct leat__stack *list = NULL;
	size_t guarded;

	for (size_t i = 0; i < size->batch; i++)
		ranges[i] = (struct leat__range){base + i * size->slot, LEAT__STACK_GUARD};
	guarded = leat__os_guard(ranges, size->batch);
	for (size_t i = 0; i < size->batch; i++)
		ranges[i] = (struct leat__range){base + (i + 1) * size->slot - PAGE, PAGE};
	leat__os_populate(ranges + 1, size->batch - 1);
	memset(ranges, 0, size->batch * sizeof *ranges);
	for (size_t i = size->batch; i-- > 0;) {
		char *slot = base + i * size->slot;
		struct leat__stack *s = leat__stack_init(slot + LEAT__STACK_GUARD,
		                                         slot + size->slot - (first + i) % COLOURS * COLOUR,
		                                         class, i < guarded);

		s->next = list;
		list = s;
	}
	return list;
}

/* One guard for all: what runs through all the stacks below it stops there. */
static struct leat__stack *carve_packed(char *base, unsigned class)
{
	const struct leat__stack_size *size = &leat__stack_sizes[class];
	struct leat__range guard = {base, LEAT__STACK_GUARD};
	struct leat__range all = {base + LEAT__STACK_GUARD,
	                          ((size_t)size->slot * size->batch + PAGE - 1) & ~(PAGE - 1)};
	struct leat__stack *list = NULL;

	leat__os_guard(&guard, 1);
	base += LEAT__STACK_GUARD;
	leat__os_populate(&all, 1);
	for (size_t i = size->batch; i-- > 0;) {
		char *low = base + i * size->slot;
		struct leat__stack *s = leat__stack_init(low, low + size->slot, class, false);

		s->index = (uint8_t)i;
		s->next = list;
		list = s;
	}
	return list;
}

COLD struct leat__stack *leat__stack_carve(unsigned class)
{
	const struct leat__stack_size *size = &leat__stack_sizes[class];
	size_t bytes = (size_t)size->slot * size->batch, first;
	struct leat__stack *list;
	char *base;

	if (size->packed)
		bytes = LEAT__STACK_GUARD + ((bytes + PAGE - 1) & ~(PAGE - 1));
	LEAT_ASSERT(bytes >= BATCH_MIN);
	base = claim(bytes, class, &first);
	if (class == LEAT__STACK_USUAL && load_relaxed(&out) != !base)
		store_relaxed(&out, !base);
	if (!base)
		return NULL;
	list = size->packed ? carve_packed(base, class) : carve_guarded(base, class, first);
	list->count = size->batch;
	for (struct leat__stack *s = list; s; s = s->next)
		s->valgrind_id = leat__valgrind_add_stack(s->low, s);
	return list;
}

bool leat__stack_available(void)
{
	struct leat__stack *batch;

	if (!load_relaxed(&out))
		return true;
	/* Goroutines may have ended since: try. */
	batch = leat__stack_pool_take(LEAT__STACK_USUAL);
	if (!batch)
		return false;
	leat__stack_pool_put(batch, false);
	return true;
}

/* --- a processor's cache */

static COLD struct leat__stack *get_slow(struct leat__stack_cache *cache, unsigned class)
{
	struct leat__stack *batch = cache->spare;

	cache->spare = NULL;
	if (!batch)
		batch = leat__stack_pool_take(class);
	if (!batch)
		return NULL;
	cache->list = batch->next;
	cache->room = leat__stack_sizes[class].batch - (batch->count - 1U);
	return batch;
}

struct leat__stack *leat__stack_get(struct leat__stack_cache *cache, unsigned class)
{
	struct leat__stack *s = cache->list;

	if (unlikely(!s))
		return get_slow(cache, class);
	cache->list = s->next;
	cache->room++;
	return s;
}

static COLD void put_slow(struct leat__stack_cache *cache, unsigned class)
{
	struct leat__stack *full = cache->list;

	if (full) {
		full->count = leat__stack_sizes[class].batch;
		if (cache->spare)
			leat__stack_pool_put(cache->spare, false);
		cache->spare = full;
	}
	cache->list = NULL;
	cache->room = leat__stack_sizes[class].batch;
}

void leat__stack_put(struct leat__stack_cache *cache, struct leat__stack *s)
{
	/* The full list goes first, so s, which the caller may run on, stays with this processor. */
	if (unlikely(cache->room == 0))
		put_slow(cache, s->class);
	s->next = cache->list;
	cache->list = s;
	cache->room--;
}

void leat__stack_cache_flush(struct leat__stack_cache *cache, unsigned class)
{
	if (cache->spare)
		leat__stack_pool_put(cache->spare, true);
	if (cache->list) {
		cache->list->count = (uint8_t)(leat__stack_sizes[class].batch - cache->room);
		leat__stack_pool_put(cache->list, true);
	}
	*cache = (struct leat__stack_cache){0};
}

struct leat__stack *leat__stack_find(struct leat__stack_cache *caches, size_t bytes)
{
	unsigned class = leat__stack_class(bytes);

	if (class == LEAT__STACK_OWN)
		return leat__stack_map(bytes);
	if (!caches)
		return leat__stack_pool_take_single(class);
	return leat__stack_get(&caches[class], class);
}

/* --- mappings of their own */

static char *slot_end(const struct leat__stack *s)
{
	return (char *)(((uintptr_t)(s + 1) + PAGE - 1) & ~(uintptr_t)(PAGE - 1));
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
	s = leat__stack_init(base + LEAT__STACK_GUARD, base + slot, LEAT__STACK_OWN,
	                     leat__os_guard(&guard, 1) == 1);
	s->valgrind_id = leat__valgrind_add_stack(s->low, s);
	leat__lock(&slabs.lock);
	s->next = slabs.own;
	if (s->next)
		s->next->next_batch = s;
	slabs.own = s;
	leat__unlock(&slabs.lock);
	return s;
}

/* 1: a reader may be on some stack.  Who unmaps one waits for that reader; a later one will find, under
   this lock, that the stack's goroutine no longer waits. */
static uint8_t reading;

bool leat__stack_hold(void)
{
	for (int i = 0; i < 1000; i++) {
		if (leat__trylock(&reading))
			return true;
		leat__cpu_relax();
	}
	return false;
}

void leat__stack_release(void)
{
	leat__unlock(&reading);
}

void leat__stack_reader_forget(void)
{
	__atomic_store_n(&reading, 0, __ATOMIC_RELAXED);
}

static void await_reader(void)
{
	leat__lock(&reading);
	leat__unlock(&reading);
}

void leat__stack_unmap(struct leat__stack *s)
{
	char *base = s->low - LEAT__STACK_GUARD;

	leat__lock(&slabs.lock);
	if (s->next)
		s->next->next_batch = s->next_batch;
	if (s->next_batch)
		s->next_batch->next = s->next;
	else
		slabs.own = s->next;
	leat__unlock(&slabs.lock);
	await_reader();
	leat__valgrind_drop_stack(s->valgrind_id);
	leat__os_unmap(base, (size_t)(slot_end(s) - base));
}

/* --- looking after them */

void leat__stack_forget(struct leat__stack *s)
{
	struct leat__stack header = *s;

	if (!(leat__sanitizers & LEAT__TSAN))
		return;
	await_reader();
	leat__san_forget(s->low, (size_t)(slot_end(s) - s->low));
	*s = header;
}

bool leat__stack_intact(const struct leat__stack *s)
{
	return !(s->special & LEAT__UNGUARDED) ||
	       (canary_lives(s) && (char *)__builtin_frame_address(0) > s->low);
}

bool leat__stack_overflowed(const struct leat__stack *s, uintptr_t address, uintptr_t sp)
{
	uintptr_t low = (uintptr_t)s->low;

	if (!(s->special & LEAT__UNGUARDED))
		return address < low && address >= low - LEAT__STACK_GUARD;
	/* It ran through what lies below, to the next guard. */
	return sp < low && low - sp < FAR_DOWN && address < low;
}

/* --- of what stack an address is */

static bool is_on(const struct leat__stack *s, uintptr_t at)
{
	return at - (uintptr_t)s->low < (uintptr_t)s - (uintptr_t)s->low;
}

/* The stack of d's slab that it is on, if that is not packed. */
static struct leat__stack *find_in(struct directory *d, uintptr_t at)
{
	size_t low = 0, high = d->batches, in_slab = at - (uintptr_t)d, i;
	const struct leat__stack_size *size;
	char *base;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (d->batch[middle].page * PAGE <= in_slab)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return NULL;
	size = &leat__stack_sizes[d->batch[low - 1].class];
	base = (char *)d + d->batch[low - 1].page * PAGE;
	i = (at - (uintptr_t)base) / size->slot;
	if (size->packed || i >= size->batch)
		return NULL;
	base += (i + 1) * size->slot - (d->batch[low - 1].colour + i) % COLOURS * COLOUR;
	return (struct leat__stack *)(void *)base - 1;
}

struct leat__stack *leat__stack_at(uintptr_t at)
{
	struct leat__stack *s;

	for (struct directory *d = directory(); d; d = d->before)
		if (at - (uintptr_t)d < d->bytes) {
			s = find_in(d, at);
			return s && is_on(s, at) ? s : NULL;
		}
	for (s = slabs.own; s && !is_on(s, at);)
		s = s->next;
	return s;
}

void leat__stacks_lock(void)
{
	leat__lock(&slabs.lock);
	leat__stack_pool_lock();
}

void leat__stacks_unlock(void)
{
	leat__stack_pool_unlock();
	leat__unlock(&slabs.lock);
}
