/* SPDX-License-Identifier: MIT */
/*
 * Memory for many objects of one size: on slabs of 2 MiB, each but the first a huge page, where there are.
 *
 * A million objects of a hundred bytes from malloc are 27,000 page faults, and each that is looked at again misses the
 * TLB; here they are 60, and it is in the TLB more often than not.
 *
 * Under a lock of the caller's.
 */
#ifndef LEAT_SCHED_SLAB_H
#define LEAT_SCHED_SLAB_H

#include "base/compiler.h"

struct leat__slab;

/* All zero: none yet. */
struct leat__slabs {
	struct leat__slab *first; /* of those with room */
	uint32_t count;           /* of all */
	uint32_t empty;           /* of those without an object: one at most */
};

/* An object of so many bytes, a multiple of 16, as big as all others of s; it is aligned to 16, or to a cache line if its
   size is a multiple of one.  NULL: there is no memory. */
void *leat__slabs_take(struct leat__slabs *s, size_t bytes);

/* Give it back. */
void leat__slabs_give(struct leat__slabs *s, void *object, size_t bytes);

#endif
