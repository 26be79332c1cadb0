/* SPDX-License-Identifier: MIT */
/*
 * Map: keys and values that any number of goroutines and threads look up and change.  After Go's sync.Map.
 *
 *	static leat_map users = LEAT_MAP_STRINGS;
 *
 *	leat_map_store(&users, "ada", ada);
 *	if (leat_map_load(&users, "ada", &user))
 *		...
 *
 * Keys are, by what the program sets before the first use:
 *  - nothing set, all zero: addresses, or integers cast to pointers.  NULL is a key like any other;
 *  - LEAT_MAP_STRINGS: C strings, compared by content.  The map copies them, so the caller's may go away;
 *  - hash and equal: what these say.  The map keeps the address; the key must stay, and stay the same, until a
 *    call that removes it has returned and no range that was under way then is.  With strings set as well
 *    the map keeps a copy instead, as of any string.
 * Values are pointers, NULL too; the map never looks at what they point to.
 *
 * Zero-initialised it is empty.  It must not be copied after its first use.  It needs no destructor as long as
 * nothing was stored, otherwise leat_map_free.
 *
 * Each operation but range happens at one instant, between its call and its return; any goroutine, any
 * thread.  One that changes what the map has for a key (stores it, deletes it, clears the map) happens before
 * each later one for that key, and orders nothing else.  An operation takes one lock of many and parks while
 * another has it; which keys share one is at random.
 *
 * Out-parameters may be NULL, and are untouched where there is nothing to say.  What needs memory panics "out
 * of memory" where there is none, and the map is as before.
 *
 * In the child of a fork a map is good only if nobody but the caller of fork used it at that moment.
 */
#ifndef LEAT_MAP_H
#define LEAT_MAP_H

#include <leat/base.h>

LEAT__BEGIN

/*
 * The first four are the program's.  hash and equal go together: equal keys have the same hash, and any hash
 * will do that seldom is the same for others.  hash is called with no lock held.  equal(kept, asked, arg) is
 * called with a lock of the map held: it must not use this map, and should be quick.  Both may panic, which
 * leaves the map as it was.
 */
typedef struct leat_map {
	bool strings; /* keys are C strings, and copied */
	uint64_t (*hash)(const void *key, void *arg);
	bool (*equal)(const void *kept, const void *asked, void *arg);
	void *arg;
	void *leat__table;
} leat_map;

/* True, and *value, when m has key. */
LEAT_API bool leat_map_load(leat_map *m, const void *key, void **value);

/*
 * Have value for key from now on.  Allocates when key is new.
 * Panics "leat_map: equal without hash", as everything does that stores.
 */
LEAT_API void leat_map_store(leat_map *m, const void *key, void *value);

/* True, and *actual is what m has for key, if it has; otherwise store value, which *actual becomes, too. */
LEAT_API bool leat_map_load_or_store(leat_map *m, const void *key, void *value, void **actual);

/* Remove key.  True, and *value, if m had it. */
LEAT_API bool leat_map_load_and_delete(leat_map *m, const void *key, void **value);

/* Remove key, if m has it. */
LEAT_API void leat_map_delete(leat_map *m, const void *key);

/* Store value for key.  True, and *previous is what m had, if it had. */
LEAT_API bool leat_map_swap(leat_map *m, const void *key, void *value, void **previous);

/* If m has for key the pointer old, have value from now on, and return true.  Never allocates. */
LEAT_API bool leat_map_compare_and_swap(leat_map *m, const void *key, const void *old, void *value);

/* If m has for key the pointer old, remove key, and return true. */
LEAT_API bool leat_map_compare_and_delete(leat_map *m, const void *key, const void *old);

/* Remove all keys, at one instant.  Keeps some memory, for what is stored next. */
LEAT_API void leat_map_clear(leat_map *m);

/*
 * Call fn(key, value, arg) for one key after the other, in any order, until it returns false.
 *
 * Each key is visited at most once.  One that is there from beginning to end is visited; one that is stored
 * meanwhile may be.  One that is removed is visited no more, and the value is what m had for key after the
 * previous visit, or later.  So what fn, or who fn waits for, removes or replaces it may also free.
 *
 * fn is called with no lock held: it may do anything with m but free it, range over it too, and may park, and
 * panic.  key, if it is the map's copy, is good until fn returns.  Allocates a pointer for some share of the
 * keys at a time.
 */
LEAT_API void leat_map_range(leat_map *m, bool (*fn)(const void *key, void *value, void *arg),
                             void *arg);

/* Remove all keys and give back all memory; m is as it was before its first use.  Nobody else may use m
   meanwhile, and no range be under way. */
LEAT_API void leat_map_free(leat_map *m);

LEAT__END

#ifndef __cplusplus

/* Initialises a leat_map whose keys are C strings. */
#define LEAT_MAP_STRINGS                                                                           \
	{                                                                                              \
		.strings = true                                                                            \
	}

#endif /* !__cplusplus */

#endif
