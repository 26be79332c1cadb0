/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *  - A descriptor is in exactly one place: in use, in one processor's cache, or in the pool.
 *  - The pool holds whole batches, and single descriptors for callers without a cache; its lock
 *    protects both and the list of slabs.
 */
#include "sched/goroutine.h"

#include "os/lock.h"

#include <stddef.h>

#define BATCH 63                     /* with the link, three pages */
#define ROOM  ((size_t)85 * 3 << 12) /* what is mapped at once, for 85 of these: just below 1 MiB */

struct slab {
	struct slab *next;
	_Alignas(CACHE_LINE) struct leat__g g[BATCH];
};

static struct {
	uint8_t lock;
	struct leat__g *singles;
	struct leat__g *batches;    /* linked by arg of each batch's first */
	struct slab *_Atomic slabs; /* only grows; read without the lock */
	char *room;                 /* for more slabs, mapped, and never unmapped */
	size_t room_bytes;
} pool;

static _Atomic uint64_t ids = 2; /* 1 is main's */

const struct leat__g_slabs leat__g_slabs = {
    .first = &pool.slabs,
    .next = offsetof(struct slab, next),
    .g = offsetof(struct slab, g),
    .count = BATCH,
};

const char *const leat__wait_names[LEAT__WAITS] = {
    [LEAT__RUNNABLE] = "runnable",
    [LEAT__WAIT_RECV] = "chan receive",
    [LEAT__WAIT_SEND] = "chan send",
    [LEAT__WAIT_RECV_NIL] = "chan receive (nil chan)",
    [LEAT__WAIT_SEND_NIL] = "chan send (nil chan)",
    [LEAT__WAIT_SELECT] = "select",
    [LEAT__WAIT_SELECT_NONE] = "select (no cases)",
    [LEAT__WAIT_SLEEP] = "sleep",
    [LEAT__WAIT_MUTEX] = "sync.Mutex.Lock",
    [LEAT__WAIT_WAITGROUP] = "sync.WaitGroup.Wait",
    [LEAT__WAIT_SCOPE] = "scope wait",
    [LEAT__WAIT_IO] = "IO wait",
    [LEAT__WAIT_RLOCK] = "sync.RWMutex.RLock",
    [LEAT__WAIT_RWLOCK] = "sync.RWMutex.Lock",
    [LEAT__WAIT_COND] = "sync.Cond.Wait",
    [LEAT__WAIT_SEMAPHORE] = "semaphore acquire",
    [LEAT__WAIT_FLIGHT] = "singleflight wait",
    [LEAT__WAIT_ONCE] = "sync.Once.Do",
};

const char *leat__wait_name(enum leat__wait wait)
{
	return wait < LEAT__WAITS ? leat__wait_names[wait] : "unknown";
}

#define SLAB ((sizeof(struct slab) + 4095) & ~(size_t)4095)

_Static_assert(SLAB <= 3 * 4096, "a parked goroutine's budget");
_Static_assert(ROOM % SLAB == 0, "whole slabs");

/* To map takes the lock of the address space, so seldom: much at once, or where that is not to be had, a slab. */
static struct slab *new_slab(void)
{
	struct slab *s = NULL;

	leat__lock(&pool.lock);
	if (pool.room_bytes == 0) {
		size_t bytes = ROOM;

		pool.room = leat__os_map(bytes);
		if (!pool.room)
			pool.room = leat__os_map(bytes = SLAB);
		if (pool.room)
			pool.room_bytes = bytes;
	}
	if (pool.room_bytes > 0) {
		s = (struct slab *)(void *)pool.room;
		pool.room += SLAB;
		pool.room_bytes -= SLAB;
	}
	leat__unlock(&pool.lock);
	if (s)
		leat__os_populate(&(struct leat__range){s, SLAB}, 1);
	return s;
}

static COLD struct leat__g *new_batch(void)
{
	struct slab *s = NULL;

	/* More goroutines than ever are of no use while those that wait to be started find no stack: let who
	   starts them know. */
	if (leat__stack_available())
		s = new_slab();
	if (!s)
		return NULL;
	for (size_t i = 0; i + 1 < BATCH; i++)
		s->g[i].next = &s->g[i + 1];
	leat__san_add_root(s, sizeof *s);
	leat__lock(&pool.lock);
	s->next = load_relaxed(&pool.slabs);
	store_release(&pool.slabs, s);
	leat__unlock(&pool.lock);
	return &s->g[0];
}

static struct leat__g *take_batch(void)
{
	struct leat__g *batch;

	leat__lock(&pool.lock);
	batch = pool.batches;
	if (batch)
		pool.batches = batch->arg;
	leat__unlock(&pool.lock);
	return batch ? batch : new_batch();
}

static COLD struct leat__g *get_slow(struct leat__g_cache *cache)
{
	struct leat__g *batch = cache->spare ? cache->spare : take_batch();

	cache->spare = NULL;
	if (!batch)
		return NULL;
	cache->list = batch->next;
	cache->count = BATCH - 1;
	return batch;
}

static COLD struct leat__g *get_single(void)
{
	struct leat__g *g, *rest, *last;

	leat__lock(&pool.lock);
	g = pool.singles;
	if (g)
		pool.singles = g->next;
	leat__unlock(&pool.lock);
	if (g)
		return g;
	g = take_batch();
	if (!g)
		return NULL;
	rest = g->next;
	for (last = rest; last->next; last = last->next)
		;
	leat__lock(&pool.lock);
	last->next = pool.singles;
	pool.singles = rest;
	leat__unlock(&pool.lock);
	return g;
}

struct leat__g *leat__g_get(struct leat__g_cache *cache)
{
	struct leat__g *g;

	if (unlikely(!cache))
		return get_single();
	g = cache->list;
	if (unlikely(!g))
		return get_slow(cache);
	cache->list = g->next;
	cache->count--;
	return g;
}

static COLD void put_slow(struct leat__g_cache *cache)
{
	if (cache->spare) {
		leat__lock(&pool.lock);
		cache->spare->arg = pool.batches;
		pool.batches = cache->spare;
		leat__unlock(&pool.lock);
	}
	cache->spare = cache->list;
	cache->list = NULL;
	cache->count = 0;
}

void leat__g_put(struct leat__g_cache *cache, struct leat__g *g)
{
	store_relaxed(&g->kind, LEAT__FREE);
	if (unlikely(!cache)) {
		leat__lock(&pool.lock);
		g->next = pool.singles;
		pool.singles = g;
		leat__unlock(&pool.lock);
		return;
	}
	if (unlikely(cache->count == BATCH))
		put_slow(cache);
	g->next = cache->list;
	cache->list = g;
	cache->count++;
}

void leat__g_pool_lock(void)
{
	leat__lock(&pool.lock);
}

void leat__g_pool_unlock(void)
{
	leat__unlock(&pool.lock);
}

uint64_t leat__g_new_id(uint64_t *next, unsigned *left)
{
	if (unlikely(*left == 0)) {
		*left = 256;
		*next = fetch_add_relaxed(&ids, 256);
	}
	(*left)--;
	return (*next)++;
}

void leat__g_each(void (*visit)(struct leat__g *g, void *arg), void *arg)
{
	for (struct slab *s = load_acquire(&pool.slabs); s; s = s->next)
		for (size_t i = 0; i < BATCH; i++)
			if (load_relaxed(&s->g[i].kind) != LEAT__FREE)
				visit(&s->g[i], arg);
}
