/* SPDX-License-Identifier: MIT */
/*
 * Goroutine stacks.  A slot, from low to high:
 *
 *	guarded		| guard 64 KiB | usable 8 KiB .. 8 MiB, usually 192 KiB | header | colour 0..1920 B |
 *	packed		                              | usable 2 or 4 KiB | header |
 *	                               low            <- the stack grows down   high
 *
 * Only touched pages take memory: a parked goroutine on a guarded stack costs the one page that holds
 * its frames and this header.  The stride of 65 pages and the 16 colours keep stack tops of different
 * goroutines in different cache sets (sieve on one processor: 689 to 538 ms).
 *
 * Packed stacks lie side by side in a chunk, 30 of them in 16 pages: a parked goroutine costs 2.2 KiB.
 * Nothing faults between them.  Each has a canary at its low end, and the goroutine's stack pointer is
 * looked at whenever it stops; only the chunk as a whole has a guard below.
 *
 * Sizes come in classes; what is larger than the largest has a mapping of its own.  A stack belongs to
 * the goroutine it is bound to, else to the cache of one processor or to the pool.
 */
#ifndef LEAT_SCHED_STACK_H
#define LEAT_SCHED_STACK_H

#include "arch/sanitizer.h"

#define LEAT__STACK_USABLE ((size_t)192 << 10)
#define LEAT__STACK_GUARD  ((size_t)64 << 10)
#define LEAT__STACK_BATCH  32 /* at most as many move between a cache and the pool at once */

enum leat__stack_class {
	LEAT__STACK_USUAL,   /* 192 KiB */
	LEAT__STACK_2K,      /* the first packed class */
	LEAT__STACK_4K,      /* the last one */
	LEAT__STACK_8K,      /* from here on guarded, by powers of two */
	LEAT__STACK_8M = 13, /* the last that is kept for others */
	LEAT__STACK_CLASSES,
	LEAT__STACK_OWN = LEAT__STACK_CLASSES, /* a mapping of its own, or a thread's stack */
};

/* What a goroutine has of its stack in its own byte, special, beside enum leat__special. */
enum leat__stack_special {
	LEAT__UNGUARDED = 1, /* nothing faults below low: look at the canary there at every park */
	LEAT__WATCHED = 8,   /* look for locks of the thread at every park: locks.c */
};

/* LEAT__WATCHED if stacks are to be made so; set before the first is. */
extern uint8_t leat__stack_watched;

struct leat__resumer;

struct leat__stack {
	struct leat__stack *next; /* in a cache or batch; a mapping of its own: in the list of these */
	struct leat__stack
	    *next_batch;  /* in the pool, first of a batch only; likewise: the one before */
	char *low;        /* lowest usable byte */
	const char *name; /* its goroutine's, on the stack itself; NULL: none */
	unsigned valgrind_id;
	uint8_t class;                 /* enum leat__stack_class */
	uint8_t index;                 /* packed: its place in the chunk */
	uint8_t count;                 /* first of a batch: how many these are */
	uint8_t special;               /* enum leat__stack_special: what its goroutines begin with */
	struct leat__resumer *resumer; /* a coroutine's: below this; NULL on a goroutine's own */
	struct leat__san_context san;
} __attribute__((aligned(16)));

/* A processor's own free stacks of one class: two batches, so that a spawner and a reaper that
   alternate around a batch's end do not go to the pool each time.  All zero is empty. */
struct leat__stack_cache {
	struct leat__stack *list, *spare; /* spare is NULL or a batch */
	unsigned room;                    /* how many more list may take */
};

/* The class that has at least bytes usable.  Under a sanitizer, whose frames are large, no smaller one
   than the usual; and none that is packed where the program binds its calls into libraries lazily, since
   such a call uses 3 KiB. */
unsigned leat__stack_class(size_t bytes);

/* A stack of the class, or NULL when memory or address space is out. */
struct leat__stack *leat__stack_get(struct leat__stack_cache *cache, unsigned class);

/* Give s back to the cache of its class; the caller may still be running on it, as long as the cache is
   its processor's. */
void leat__stack_put(struct leat__stack_cache *cache, struct leat__stack *s);

/* Empty the cache, whose processor nobody holds, into the pool, as lying idle for long. */
void leat__stack_cache_flush(struct leat__stack_cache *cache, unsigned class);

/* A stack with at least bytes usable, for callers with or (NULL) without the caches of a processor. */
struct leat__stack *leat__stack_find(struct leat__stack_cache *caches, size_t bytes);

/* A stack with at least bytes usable, by a mapping of its own; NULL when there is none. */
struct leat__stack *leat__stack_map(size_t bytes);

/* Give back a stack that nobody runs on and that has a mapping of its own. */
void leat__stack_unmap(struct leat__stack *s);

/* False while no memory can be had for stacks of the usual size. */
bool leat__stack_available(void);

/* The stack, not a packed one, on which that address is; NULL: none.  While nobody else is there. */
struct leat__stack *leat__stack_at(uintptr_t at);

/* Keep slabs and pool as they are while the process is forked. */
void leat__stacks_lock(void);
void leat__stacks_unlock(void);

/* Let the thread sanitizer forget who used s, on which nobody runs: the next goroutine on it is not
   ordered after the last. */
void leat__stack_forget(struct leat__stack *s);

/*
 * For who reads the stack of a goroutine that may run and end meanwhile (snapshot.c): between hold,
 * which may fail, and release no stack is taken out of the address space that was still in use after
 * hold returned.  Short, and by one reader at a time.
 */
bool leat__stack_hold(void);
void leat__stack_release(void);

/* In the child of a fork: who read is not here. */
void leat__stack_reader_forget(void);

/* False when an unguarded stack, on which the caller runs, has been left at its low end, or was: then
   the canary there has been overwritten. */
bool leat__stack_intact(const struct leat__stack *s);

/* The address, which faulted with the stack pointer at sp, says that s was too small. */
bool leat__stack_overflowed(const struct leat__stack *s, uintptr_t address, uintptr_t sp);

/* One past the highest usable byte. */
static inline char *leat__stack_high(struct leat__stack *s)
{
	return (char *)s;
}

/* --- giving idle pages back: stack_pool.c, for trim.c */

/* What has been in the pool since the call before this one is to lose its pages. */
void leat__stack_pool_age(void);

/* Give some of that back, in a millisecond or two; false: nothing was left. */
bool leat__stack_pool_step(void);

/* There is something in the pool that age and step would give back in the end. */
bool leat__stack_pool_warm(void);

#endif
