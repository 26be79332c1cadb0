/* SPDX-License-Identifier: MIT */
/*
 * Goroutine stacks.  A slot, from low to high:
 *
 *	| guard 64 KiB | usable 192 KiB                    | header | colour 0..1920 B |
 *	               low        <- the stack grows down   high
 *
 * Only touched pages take memory: a parked goroutine costs the one page that holds its frames and this
 * header.  The stride of 65 pages and the 16 colours keep stack tops of different goroutines in
 * different cache sets (sieve on one processor: 689 to 538 ms).
 *
 * A stack belongs to the goroutine it is bound to, else to the cache of one processor or to the pool.
 */
#ifndef LEAT_SCHED_STACK_H
#define LEAT_SCHED_STACK_H

#include "arch/sanitizer.h"

#define LEAT__STACK_USABLE ((size_t)192 << 10)
#define LEAT__STACK_GUARD  ((size_t)64 << 10)
#define LEAT__STACK_BATCH  32 /* as many move between a cache and the pool at once */

struct leat__stack {
	struct leat__stack *next;       /* in a cache or batch */
	struct leat__stack *next_batch; /* in the pool, first of a batch only */
	char *low;                      /* lowest usable byte */
	char *base;                     /* of the mapping when it is a mapping of its own, else NULL */
	size_t mapped;                  /* its bytes */
	const char *name;               /* its goroutine's, on the stack itself; NULL: none */
	unsigned valgrind_id;
	bool guarded; /* faults below low; else there is a canary at low */
	struct leat__san_context san;
} __attribute__((aligned(16)));

/* A processor's own free stacks: two batches, so that a spawner and a reaper that alternate around a
   batch's end do not go to the pool each time. */
struct leat__stack_cache {
	struct leat__stack *list, *spare; /* spare is NULL or a full batch */
	unsigned count;                   /* in list */
};

/* A stack of the usual size, or NULL when memory or address space is out. */
struct leat__stack *leat__stack_get(struct leat__stack_cache *cache);

/* Give s back; the caller may still be running on it, as long as the cache is its processor's. */
void leat__stack_put(struct leat__stack_cache *cache, struct leat__stack *s);

/* A stack with at least bytes usable, by a mapping of its own; NULL when there is none. */
struct leat__stack *leat__stack_map(size_t bytes);

/* Give back a stack that nobody runs on and that has a mapping of its own. */
void leat__stack_unmap(struct leat__stack *s);

/* Keep the pool as it is while the process is forked. */
void leat__stack_pool_lock(void);
void leat__stack_pool_unlock(void);

/* Let the thread sanitizer forget who used s, on which nobody runs: the next goroutine on it is not
   ordered after the last. */
void leat__stack_forget(struct leat__stack *s);

/* False when the canary of an unguarded stack has been overwritten. */
bool leat__stack_intact(const struct leat__stack *s);

/* The address is in the guard of s. */
static inline bool leat__stack_overflowed(const struct leat__stack *s, uintptr_t address)
{
	uintptr_t low = (uintptr_t)s->low;

	return address < low && address >= low - LEAT__STACK_GUARD;
}

/* One past the highest usable byte. */
static inline char *leat__stack_high(struct leat__stack *s)
{
	return (char *)s;
}

#endif
