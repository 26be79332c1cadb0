/* SPDX-License-Identifier: MIT */
/*
 * The operations of maps, on the table that map.h describes.
 *
 * A load, and a load-or-store of a key that is there, takes no lock where keys are compared by us: it changes
 * nothing that another processor reads, but its own processor's word.  All else takes the mutex of the
 * key's shard; so do plain threads, which have no processor, and maps whose equal is the program's, for that may
 * do anything.
 *
 * Operations on one key are in one order, that of the mutex, and a load without it has its place there by what it
 * finds (map.h).  To the thread sanitizer each change releases the key's edge, each operation acquires it: not the
 * mutex's, which other keys share.  What the program may read of an entry, its key in equal and in a range,
 * has two edges of the entry's own.
 *
 * A range takes references to the entries of one shard at a time, so it finds each key once, though fn changes
 * the map: a key that was removed and stored again is another entry.
 *
 * On an AMD EPYC, of CPU time: a load of one key, over and over, takes 11 ns, by way of the mutex 17; the row map of
 * the benchmarks 26 (Go 1.19: 75).
 */
#include "sync/map.h"

#include <leat/defer.h>

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct leat__map_shard) >= LEAT__MAP_EDGES, "an edge is no other shard's");

/* --- keys */

/* In the manner of Fowler, Noll and Vo's FNV-1a, by words instead of bytes. */
static uint64_t hash_of_text(uint64_t hash, const char *text, size_t bytes)
{
	uint64_t last = bytes;

	for (; bytes >= 8; bytes -= 8, text += 8) {
		hash = (hash ^ *(const leat__word *)text) * UINT64_C(0x9E3779B97F4A7C15);
		hash ^= hash >> 32;
	}
	for (; bytes; bytes--)
		last = last << 8 | (unsigned char)text[bytes - 1];
	return (hash ^ last) * UINT64_C(0x9E3779B97F4A7C15);
}

/* The program's hash may panic. */
static inline void leat__map_find_place(const leat_map *m, struct leat__map_table *t,
                                        const void *key, struct leat__map_place *at)
{
	uint64_t hash = (uintptr_t)key;

	at->text_bytes = m->strings ? strlen(key) : 0;
	if (m->hash)
		hash = m->hash(key, m->arg);
	else if (m->strings)
		hash = hash_of_text(t->seed, key, at->text_bytes);
	hash = leat__random_seed(hash ^ t->seed);
	at->map = m;
	at->shard = &t->shard[hash >> t->shard_shift];
	at->key = key;
	at->hash = (uint32_t)hash;
}

/* Not by memcmp: the thread sanitizer would want an order that nobody promised. */
static bool same_text(const struct leat__map_entry *e, const char *text, size_t bytes)
{
	const char *kept = e->key;

	if (e->text_bytes[0] != bytes)
		return false;
	for (; bytes >= 8; bytes -= 8, kept += 8, text += 8)
		if (*(const leat__word *)kept != *(const leat__word *)text)
			return false;
	for (; bytes; bytes--)
		if (*kept++ != *text++)
			return false;
	return true;
}

static inline bool same(const struct leat__map_place *at, const struct leat__map_entry *e)
{
	if (e->hash != at->hash)
		return false;
	return at->map->strings ? same_text(e, at->key, at->text_bytes) : e->key == at->key;
}

struct guard {
	struct leat__map_shard *shard;
	bool held;
};

static void leat__map_unlock_held(struct guard *g)
{
	if (g->held)
		leat__map_unlock(g->shard);
}

/* By the program's function, which may leave by a panic or a goexit: without the mutex, then. */
static NOINLINE bool leat__map_same_own(const struct leat__map_place *at,
                                        const struct leat__map_entry *e)
{
	struct guard g = {at->shard, true};
	bool result;

	LEAT_DEFER(leat__map_unlock_held, &g);
	leat__hb_acquire(leat__map_made(e));
	result = at->map->equal(e->key, at->key, at->map->arg);
	leat__hb_release(leat__map_seen(e));
	g.held = false;
	return result;
}

/* The link to the key's entry, or NULL.  With the mutex; not inline twice, for what equal needs. */
static struct leat__map_entry **leat__map_find(const struct leat__map_place *at)
{
	struct leat__map_buckets *b = at->shard->buckets;
	struct leat__map_entry **link, *e;

	if (!b)
		return NULL;
	for (link = &b->heads[at->hash & b->mask]; (e = *link) != NULL; link = &e->next)
		if (unlikely(at->map->equal != NULL) ? e->hash == at->hash && leat__map_same_own(at, e)
		                                     : same(at, e))
			return link;
	return NULL;
}

/* --- loads without the mutex */

enum found { ABSENT, PRESENT, UNKNOWN };

/* As the chain is now: in the runtime, the processor reading. */
static ALWAYS_INLINE enum found walk(const struct leat__map_place *at, void **value)
{
	struct leat__map_shard *s = at->shard;
	uint32_t version = __atomic_load_n(&s->version, __ATOMIC_ACQUIRE);
	struct leat__map_buckets *b = __atomic_load_n(&s->buckets, __ATOMIC_ACQUIRE);
	struct leat__map_entry *e = NULL;

	if (b)
		e = __atomic_load_n(&b->heads[at->hash & b->mask], __ATOMIC_ACQUIRE);
	for (; e; e = __atomic_load_n(&e->next, __ATOMIC_ACQUIRE))
		if (same(at, e)) {
			*value = __atomic_load_n(&e->value, __ATOMIC_ACQUIRE);
			return PRESENT;
		}
	if ((version & 1) || __atomic_load_n(&s->version, __ATOMIC_RELAXED) != version)
		return UNKNOWN;
	return ABSENT;
}

static ALWAYS_INLINE enum found peek(const struct leat__map_place *at, void **value)
{
	struct leat__m *m;
	enum found found;
	uint32_t reading;

	if (unlikely(at->map->equal != NULL))
		return UNKNOWN;
	m = leat__enter();
	if (unlikely(!m->p)) {
		leat__leave(m);
		return UNKNOWN;
	}
	reading = load_relaxed(&m->p->reading);
	store_relaxed(&m->p->reading, reading + 1);
	leat__fence_light();
	found = walk(at, value);
	store_release(&m->p->reading, reading + 2);
	leat__leave(m);
	if (found != UNKNOWN)
		leat__hb_acquire(leat__map_edge(at->shard, at->hash));
	return found;
}

/* --- with the mutex */

static void begin(const struct leat__map_place *at)
{
	leat__mutex_lock(&at->shard->mutex);
	leat__hb_acquire(leat__map_edge(at->shard, at->hash));
}

/* For loads that do not get by without; should there be many, let it be a leat_rwmutex. */
static NOINLINE bool leat__map_load_locked(const struct leat__map_place *at, void **value)
{
	struct leat__map_entry **link;

	begin(at);
	link = leat__map_find(at);
	if (link)
		*value = (*link)->value;
	leat__map_unlock(at->shard);
	return link != NULL;
}

static void set(const struct leat__map_place *at, struct leat__map_entry *e, void *value)
{
	leat__hb_release(leat__map_edge(at->shard, at->hash));
	__atomic_store_n(&e->value, value, __ATOMIC_RELEASE);
}

static bool add(const struct leat__map_place *at, void *value)
{
	leat__hb_release(leat__map_edge(at->shard, at->hash));
	return leat__map_insert(at, value);
}

static void take_out(const struct leat__map_place *at, struct leat__map_entry **link)
{
	leat__hb_release(leat__map_edge(at->shard, at->hash));
	leat__map_remove(at->shard, link);
}

/* Where the key is, if anything was stored yet; or anyhow. */
static inline bool leat__map_seek(leat_map *m, const void *key, struct leat__map_place *at)
{
	struct leat__map_table *t = leat__map_table(m);

	if (unlikely(!t))
		return false;
	leat__map_find_place(m, t, key, at);
	return true;
}

static inline void leat__map_seek_or_make(leat_map *m, const void *key, struct leat__map_place *at)
{
	struct leat__map_table *t = leat__map_table(m);

	if (unlikely(!t))
		t = leat__map_make(m);
	leat__map_find_place(m, t, key, at);
}

static inline void give(void **out, void *value)
{
	if (out)
		*out = value;
}

/* --- the operations */

bool leat_map_load(leat_map *m, const void *key, void **value)
{
	struct leat__map_place at;
	enum found found;
	void *got = NULL;

	if (!leat__map_seek(m, key, &at))
		return false;
	found = peek(&at, &got);
	if (unlikely(found == UNKNOWN))
		found = leat__map_load_locked(&at, &got) ? PRESENT : ABSENT;
	if (found == ABSENT)
		return false;
	give(value, got);
	return true;
}

bool leat_map_swap(leat_map *m, const void *key, void *value, void **previous)
{
	struct leat__map_place at;
	struct leat__map_entry **link;
	void *before = NULL;
	bool stored = true;

	leat__map_seek_or_make(m, key, &at);
	begin(&at);
	link = leat__map_find(&at);
	if (link) {
		before = (*link)->value;
		set(&at, *link, value);
	} else {
		stored = add(&at, value);
	}
	leat__map_unlock(at.shard);
	if (unlikely(!stored))
		leat__panic_runtime("out of memory");
	if (link)
		give(previous, before);
	return link != NULL;
}

void leat_map_store(leat_map *m, const void *key, void *value)
{
	leat_map_swap(m, key, value, NULL);
}

bool leat_map_load_or_store(leat_map *m, const void *key, void *value, void **actual)
{
	struct leat__map_place at;
	struct leat__map_entry **link;
	void *got = value;
	bool stored = true;

	leat__map_seek_or_make(m, key, &at);
	if (peek(&at, &got) == PRESENT) {
		give(actual, got);
		return true;
	}
	begin(&at);
	link = leat__map_find(&at);
	if (link)
		got = (*link)->value;
	else
		stored = add(&at, value);
	leat__map_unlock(at.shard);
	if (unlikely(!stored))
		leat__panic_runtime("out of memory");
	give(actual, got);
	return link != NULL;
}

/* The entry of key, with its shard locked; NULL: there is none, and nothing is locked. */
static struct leat__map_entry **leat__map_lock_entry(leat_map *m, const void *key,
                                                     struct leat__map_place *at)
{
	struct leat__map_entry **link;

	if (!leat__map_seek(m, key, at))
		return NULL;
	begin(at);
	link = leat__map_find(at);
	if (!link)
		leat__map_unlock(at->shard);
	return link;
}

/* The same where its value is old. */
static struct leat__map_entry **leat__map_lock_value(leat_map *m, const void *key, const void *old,
                                                     struct leat__map_place *at)
{
	struct leat__map_entry **link = leat__map_lock_entry(m, key, at);

	if (!link || (*link)->value == old)
		return link;
	leat__map_unlock(at->shard);
	return NULL;
}

bool leat_map_load_and_delete(leat_map *m, const void *key, void **value)
{
	struct leat__map_place at;
	struct leat__map_entry **link = leat__map_lock_entry(m, key, &at);
	void *got;

	if (!link)
		return false;
	got = (*link)->value;
	take_out(&at, link);
	leat__map_unlock(at.shard);
	give(value, got);
	return true;
}

void leat_map_delete(leat_map *m, const void *key)
{
	leat_map_load_and_delete(m, key, NULL);
}

bool leat_map_compare_and_swap(leat_map *m, const void *key, const void *old, void *value)
{
	struct leat__map_place at;
	struct leat__map_entry **link = leat__map_lock_value(m, key, old, &at);

	if (!link)
		return false;
	set(&at, *link, value);
	leat__map_unlock(at.shard);
	return true;
}

bool leat_map_compare_and_delete(leat_map *m, const void *key, const void *old)
{
	struct leat__map_place at;
	struct leat__map_entry **link = leat__map_lock_value(m, key, old, &at);

	if (!link)
		return false;
	take_out(&at, link);
	leat__map_unlock(at.shard);
	return true;
}

/* --- range */

/* The entries of a shard at one instant, with a reference to each. */
struct view {
	struct leat__map_entry **all;
	size_t n;
};

static bool take_view(struct view *v, struct leat__map_shard *s)
{
	struct leat__map_buckets *b;
	bool taken = true;

	leat__mutex_lock(&s->mutex);
	b = s->buckets;
	if (s->count) {
		v->all = malloc(s->count * sizeof *v->all);
		taken = v->all != NULL;
		for (size_t i = 0; taken && i <= b->mask; i++)
			for (struct leat__map_entry *e = b->heads[i]; e; e = e->next) {
				__atomic_fetch_add(&e->refs, LEAT__MAP_REF, __ATOMIC_RELAXED);
				v->all[v->n++] = e;
			}
	}
	leat__map_unlock(s);
	return taken;
}

/* fn has seen what it has. */
static void leat__map_drop_view(struct view *v)
{
	for (size_t i = 0; i < v->n; i++) {
		leat__hb_release(leat__map_seen(v->all[i]));
		leat__map_unref(v->all[i]);
	}
	free(v->all);
}

static bool leat__map_visit(struct leat__map_shard *s,
                            bool (*fn)(const void *key, void *value, void *arg), void *arg)
{
	struct view v = {0};
	bool more = true;

	if (!take_view(&v, s))
		leat__panic_runtime("out of memory");
	LEAT_DEFER(leat__map_drop_view, &v);
	for (size_t i = 0; more && i < v.n; i++) {
		struct leat__map_entry *e = v.all[i];

		if (__atomic_load_n(&e->refs, __ATOMIC_ACQUIRE) & LEAT__MAP_DEAD)
			continue;
		leat__hb_acquire(leat__map_edge(s, e->hash));
		leat__hb_acquire(leat__map_made(e));
		more = fn(e->key, __atomic_load_n(&e->value, __ATOMIC_ACQUIRE), arg);
	}
	return more;
}

void leat_map_range(leat_map *m, bool (*fn)(const void *key, void *value, void *arg), void *arg)
{
	struct leat__map_table *t = leat__map_table(m);

	for (uint32_t i = 0; t && i < t->shards; i++)
		if (!leat__map_visit(&t->shard[i], fn, arg))
			return;
}
