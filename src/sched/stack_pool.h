/* SPDX-License-Identifier: MIT */
/* Between stack.c, which makes stacks and keeps processors' caches, and the pool that they share. */
#ifndef LEAT_SCHED_STACK_POOL_H
#define LEAT_SCHED_STACK_POOL_H

#include "os/os.h"
#include "sched/stack.h"

#define LEAT__PAGE ((size_t)4096)

/* The sizes of a class. */
struct leat__stack_size {
	uint32_t usable;
	uint32_t slot; /* from one stack to the next */
	uint8_t batch; /* so many are carved, and move, at once; packed: a chunk */
	bool packed;
};

extern const struct leat__stack_size leat__stack_sizes[LEAT__STACK_CLASSES];

/*
 * The end of a chunk of packed stacks, in what its last page has left.  All zero, as a page given back
 * reads, is right for a chunk none of whose stacks came home.  Pool's lock.
 */
struct leat__stack_chunk {
	struct leat__stack *home;                  /* its stacks that have lain idle, by next */
	struct leat__stack_chunk *next, *previous; /* chunks with some, not all, at home */
	unsigned count;                            /* length of home */
};

/* Write the header of the stack below end, which becomes one of the class. */
struct leat__stack *leat__stack_init(char *low, char *end, unsigned class, bool guarded);

/* A batch of new stacks, or NULL. */
struct leat__stack *leat__stack_carve(unsigned class);

/* A batch from the pool, or a new one, or NULL. */
struct leat__stack *leat__stack_pool_take(unsigned class);

/* One stack, for callers without a cache. */
struct leat__stack *leat__stack_pool_take_single(unsigned class);

/* Put a batch, whose first has the count; idle: it has lain in a cache for long. */
void leat__stack_pool_put(struct leat__stack *batch, bool idle);

/* Its lock, for a fork. */
void leat__stack_pool_lock(void);
void leat__stack_pool_unlock(void);

#endif
