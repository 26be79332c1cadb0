/* SPDX-License-Identifier: MIT */
/*
 * The table under a map: shards, their chains of entries, and what was taken out of them and may still be
 * looked at.
 *
 * A key belongs to one shard for good, by its hash.  A shard is a table of chains under a mutex; whoever
 * changes anything has that.  A load of a key whose comparison is ours needs no mutex: it walks the chain as it
 * finds it, while its processor says that it is reading (leat__p.reading, odd meanwhile).
 *
 *	reader, in the runtime                  who takes an entry out
 *	reading++                               unlink it
 *	light fence                             heavy fence
 *	walk the chain                          wait until reading of each processor is even, or another
 *	reading++ (release)                     free it
 *
 * Of the two stores one is seen by the other side (fence.h): so either the reader does not find the entry, or
 * it is waited for.  A processor that the other does not see yet began to read after the fence.  As a
 * membarrier takes long, what is taken out is collected until it is worth one; a walk is
 * short, nothing of the program's runs in it.
 *
 * What a walk finds is right: the entry of a key is that key's only one, and while it is found its value is what
 * the map has, or was when it was unlinked, which is after the walk began.  What it does not find may have been
 * moved meanwhile: the table is made larger by relinking its entries.  So version is odd while that goes on,
 * and another one afterwards; who finds nothing, and not the same even version before and after,
 * looks again with the mutex.  (The links are stored with release and read with acquire: who follows one that
 * was moved sees the version of that time, or a later one.)  The same lets all keys vanish at one instant: all
 * versions are odd while the shards are emptied, and nobody can have missed a key before the last one is.
 *
 * Invariants (the shard's mutex)
 *  - buckets is NULL as long as nothing was stored since the last clear; then count is 0.
 *  - An entry that is not DEAD is in its chain, and there is no other one for its key.
 *  - An entry is freed when refs, without DEAD, is 0.  The map has one reference until the readers of the time when
 *    it was unlinked are gone, each range that may visit it another one.
 */
#ifndef LEAT_SYNC_MAP_H
#define LEAT_SYNC_MAP_H

#include "base/copy.h"
#include "sched/panic.h"
#include "sched/scheduler.h"
#include "sync/mutex.h"

#include <leat/map.h>

struct leat__map_entry {
	struct leat__map_entry *next;  /* atomic: readers follow it, also after it was unlinked */
	struct leat__map_entry *waste; /* the shard's mutex; then whoever frees it */
	void *value;                   /* atomic: written under the mutex */
	const void *key;               /* this and hash never change */
	uint32_t hash;
	uint32_t refs;       /* atomic: LEAT__MAP_REF each, and LEAT__MAP_DEAD */
	size_t text_bytes[]; /* of a copied key without its 0, which follows */
};

enum { LEAT__MAP_DEAD = 1, LEAT__MAP_REF = 2 };
enum { LEAT__MAP_EDGES = CACHE_LINE, LEAT__MAP_EDGE_SHIFT = 26 };

struct leat__map_buckets {
	size_t mask;
	struct leat__map_buckets *waste; /* likewise */
	struct leat__map_entry *heads[]; /* atomic */
};

struct leat__map_shard {
	leat_mutex mutex;
	uint32_t version;                  /* atomic: odd while entries move */
	uint32_t wasted;                   /* on the two lists below, the mutex's, as what follows */
	struct leat__map_buckets *buckets; /* atomic */
	size_t count;
	struct leat__map_entry *waste;
	struct leat__map_buckets *waste_buckets;
} ON_LINE;

struct leat__map_table {
	uint64_t seed;
	uint32_t shards;
	uint32_t shard_shift;
	struct leat__map_shard shard[];
};

/* A key on its way through an operation. */
struct leat__map_place {
	const leat_map *map;
	struct leat__map_shard *shard;
	const void *key;
	size_t text_bytes; /* where keys are strings */
	uint32_t hash;
};

static inline struct leat__map_table *leat__map_table(const leat_map *m)
{
	return __atomic_load_n((struct leat__map_table **)(void *)&m->leat__table, __ATOMIC_ACQUIRE);
}

/* What is told to the thread sanitizer as ordering the operations on a key: one of 64 addresses in its shard. */
static inline const void *leat__map_edge(const struct leat__map_shard *s, uint32_t hash)
{
	return (const char *)s + (hash >> LEAT__MAP_EDGE_SHIFT);
}

/* Likewise: that an entry's key was made comes before who reads it, that comes before the entry's end. */
static inline const void *leat__map_made(const struct leat__map_entry *e)
{
	return &e->next;
}

static inline const void *leat__map_seen(const struct leat__map_entry *e)
{
	return &e->waste;
}

/* The table of m, made if there is none.  Panics. */
struct leat__map_table *leat__map_make(leat_map *m);

/* With the shard's mutex: a new entry, NULL if there is no memory; the end of the one that *link is. */
struct leat__map_entry *leat__map_insert(const struct leat__map_place *at, void *value);
void leat__map_remove(struct leat__map_shard *s, struct leat__map_entry **link);

/* Let go of the mutex after changes, and free what can be freed. */
void leat__map_unlock(struct leat__map_shard *s);

void leat__map_unref(struct leat__map_entry *e);

#endif
