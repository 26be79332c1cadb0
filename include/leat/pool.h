/* SPDX-License-Identifier: MIT */
/*
 * Pool: objects that nobody uses just now, kept to be used again.  After Go's sync.Pool.
 *
 *	static leat_pool buffers = {.make = new_buffer};
 *
 *	struct buffer *b = leat_pool_get(&buffers);
 *	...
 *	leat_pool_put(&buffers, b);
 *
 * It spares the cost of making an object, not that of initialising it: what comes out is as it was put in.
 * Each processor has a part of its own, so that they do not stand in one another's way; who finds his
 * empty looks into the others'.
 *
 * Zero-initialised it is empty.  It must not be copied after its first use.  Nothing leaves it by itself, as in
 * Go at a garbage collection: leat_pool_trim empties it.  It needs no destructor, but before its memory goes
 * away call leat_pool_trim, which gives back all that it holds, its own memory too.
 */
#ifndef LEAT_POOL_H
#define LEAT_POOL_H

#include <leat/base.h>

LEAT__BEGIN

enum { LEAT__POOL_SHARDS = 16, LEAT__POOL_ITEMS = 13 };

/* Private.  Two cache lines, of which a small stock uses one. */
struct leat__pool_shard {
	uint16_t leat__lock[5];
	uint16_t leat__count;
	void *leat__chunks;
	void *leat__items[LEAT__POOL_ITEMS];
};

/*
 * The first three are the program's: to be set before the first use, and left alone from then on.  make and
 * drop run in the goroutine or thread that calls, with no lock held; they may use the pool, wait, and panic.
 */
typedef struct leat_pool {
	void *(*make)(void *arg);            /* a new object; NULL: get returns NULL instead */
	void (*drop)(void *item, void *arg); /* end an object; NULL: free(item) */
	void *arg;                           /* for both */
	struct leat__pool_shard leat__shards[LEAT__POOL_SHARDS];
} leat_pool;

/*
 * An object that was put into p, whichever, or else what p->make returns, or NULL where that is NULL.
 *
 * It is the caller's from then on: each put is returned by one get at most.  make is called only if every
 * object is with somebody.  Any goroutine, any thread.  A put happens before the get that returns the object,
 * and orders nothing else.  Never parks, but in make; no locked instruction as long as one processor has what
 * it put in itself.
 */
LEAT_API void *leat_pool_get(leat_pool *p) LEAT__WARN_UNUSED;

/*
 * Put item into p, to be returned by a get; NULL is ignored.  item is p's from now on: the address of an object,
 * and not one that is in the pool already.
 *
 * Any goroutine, any thread.  Never parks, but in drop.  Allocates for each eighth object that lies beyond 13
 * on one processor; where there is no memory for that, item is dropped.
 */
LEAT_API void leat_pool_put(leat_pool *p, void *item);

/*
 * Drop what p holds, and give back the memory that it took.
 *
 * Each object is dropped that was put before the call and is not got meanwhile; one that is put meanwhile may
 * be.  May be called at any time, beside gets, puts and other trims, and p may be used afterwards.  Where
 * drop panics the objects that are left stay in p.  A put happens before the call of drop for its object.
 */
LEAT_API void leat_pool_trim(leat_pool *p);

LEAT__END

#endif
