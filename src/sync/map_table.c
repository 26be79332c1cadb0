/* SPDX-License-Identifier: MIT */
/* How the table under a map gets its memory and gives it back: see the header. */
#include "sync/map.h"

#include <stdlib.h>

enum {
	SHARDS_PER_PROCESSOR = 4,
	MIN_SHARDS = 8,
	MAX_SHARDS = 256,
	MIN_BUCKETS = 8,
	SPARSE = 8,      /* buckets per entry, from which on half of them do */
	MAX_WASTED = 64, /* more than entries: then it is worth a membarrier */
};

/* --- the table */

static struct leat__map_table *new_table(void)
{
	struct leat__m *m = leat__enter();
	uint64_t seed = leat__random(m->p) | (uint64_t)leat__random(m->p) << 32;
	uint32_t wanted = (uint32_t)leat__sched.procs * SHARDS_PER_PROCESSOR;
	struct leat__map_table *t = NULL;
	unsigned bits = 0;
	size_t bytes;

	leat__leave(m);
	while (1u << bits < wanted || 1u << bits < MIN_SHARDS)
		bits++;
	while (1u << bits > MAX_SHARDS)
		bits--;
	bytes = sizeof *t + ((size_t)1 << bits) * sizeof *t->shard;
	if (posix_memalign((void **)&t, CACHE_LINE, bytes) != 0)
		return NULL;
	leat__zero(t, bytes);
	t->seed = seed;
	t->shards = 1u << bits;
	t->shard_shift = 64 - bits;
	return t;
}

NOINLINE struct leat__map_table *leat__map_make(leat_map *m)
{
	struct leat__map_table *made, *other = NULL;

	if (m->equal && !m->hash)
		leat__panic_runtime("leat_map: equal without hash");
	made = new_table();
	if (!made)
		leat__panic_runtime("out of memory");
	leat__hb_release(made);
	if (__atomic_compare_exchange_n((struct leat__map_table **)(void *)&m->leat__table, &other,
	                                made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return made;
	free(made);
	return other;
}

/* --- what was taken out */

/* Nobody reads any more what was unlinked before. */
static void wait_for_readers(void)
{
	leat__fence_heavy();
	for (int i = 0; i < load_acquire(&leat__sched.made); i++) {
		struct leat__p *p = load_relaxed(&leat__sched.p[i]);
		uint32_t seen = load_acquire(&p->reading);

		for (unsigned attempt = 0; (seen & 1) && load_acquire(&p->reading) == seen;) {
			leat__cpu_relax();
			if (++attempt > 50)
				leat__os_backoff(attempt - 50);
		}
	}
}

void leat__map_unref(struct leat__map_entry *e)
{
	if (__atomic_sub_fetch(&e->refs, LEAT__MAP_REF, __ATOMIC_ACQ_REL) >= LEAT__MAP_REF)
		return;
	leat__hb_acquire(leat__map_made(e));
	leat__hb_acquire(leat__map_seen(e));
	free(e);
}

static void waste_entry(struct leat__map_shard *s, struct leat__map_entry *e)
{
	__atomic_fetch_or(&e->refs, LEAT__MAP_DEAD, __ATOMIC_RELEASE);
	leat__hb_acquire(leat__map_seen(e)); /* the key is the program's again */
	e->waste = s->waste;
	s->waste = e;
	s->wasted++;
}

static void waste_buckets(struct leat__map_shard *s, struct leat__map_buckets *b)
{
	if (!b)
		return;
	b->waste = s->waste_buckets;
	s->waste_buckets = b;
	s->wasted++;
}

/* What is to be freed, off the shards. */
struct waste {
	struct leat__map_entry *entries;
	struct leat__map_buckets *buckets;
};

static void collect(struct waste *w, struct leat__map_shard *s)
{
	struct leat__map_entry *e = s->waste;
	struct leat__map_buckets *b = s->waste_buckets;

	while (e) {
		struct leat__map_entry *next = e->waste;

		e->waste = w->entries;
		w->entries = e;
		e = next;
	}
	while (b) {
		struct leat__map_buckets *next = b->waste;

		b->waste = w->buckets;
		w->buckets = b;
		b = next;
	}
	s->waste = NULL;
	s->waste_buckets = NULL;
	s->wasted = 0;
}

static void free_waste(const struct waste *w)
{
	struct leat__map_entry *e = w->entries;
	struct leat__map_buckets *b = w->buckets;

	while (e) {
		struct leat__map_entry *next = e->waste;

		leat__map_unref(e);
		e = next;
	}
	while (b) {
		struct leat__map_buckets *next = b->waste;

		leat__hb_acquire(b);
		free(b);
		b = next;
	}
}

static NOINLINE void leat__map_unlock_and_free(struct leat__map_shard *s)
{
	struct waste w = {0};

	collect(&w, s);
	leat__mutex_unlock(&s->mutex);
	wait_for_readers();
	free_waste(&w);
}

void leat__map_unlock(struct leat__map_shard *s)
{
	if (unlikely(s->wasted > MAX_WASTED + s->count))
		leat__map_unlock_and_free(s);
	else
		leat__mutex_unlock(&s->mutex);
}

/* --- entries.  With the mutex */

static struct leat__map_entry **head_of(struct leat__map_buckets *b, uint32_t hash)
{
	return &b->heads[hash & b->mask];
}

static void push(struct leat__map_buckets *b, struct leat__map_entry *e)
{
	struct leat__map_entry **head = head_of(b, e->hash);

	__atomic_store_n(&e->next, *head, __ATOMIC_RELEASE);
	__atomic_store_n(head, e, __ATOMIC_RELEASE);
}

static void change_version(struct leat__map_shard *s)
{
	__atomic_store_n(&s->version, s->version + 1, __ATOMIC_RELEASE);
}

/* As many buckets; false: no memory, and nothing has changed. */
static bool resize(struct leat__map_shard *s, size_t n)
{
	struct leat__map_buckets *old = s->buckets;
	struct leat__map_buckets *b = calloc(1, sizeof *b + n * sizeof *b->heads);

	if (!b)
		return false;
	leat__hb_release(b);
	b->mask = n - 1;
	change_version(s);
	for (size_t i = 0; old && i <= old->mask; i++) {
		struct leat__map_entry *e = old->heads[i], *next;

		for (; e; e = next) {
			next = e->next;
			push(b, e);
		}
	}
	__atomic_store_n(&s->buckets, b, __ATOMIC_RELEASE);
	change_version(s);
	waste_buckets(s, old);
	return true;
}

static struct leat__map_entry *new_entry(const struct leat__map_place *at, void *value)
{
	struct leat__map_entry *e;
	bool copy = at->map->strings;

	e = malloc(sizeof *e + (copy ? sizeof *e->text_bytes + at->text_bytes + 1 : 0));
	if (!e)
		return NULL;
	e->hash = at->hash;
	e->refs = LEAT__MAP_REF;
	e->value = value;
	e->key = at->key;
	if (copy) {
		e->text_bytes[0] = at->text_bytes;
		e->key = &e->text_bytes[1];
		leat__copy_long(&e->text_bytes[1], at->key, at->text_bytes + 1);
	}
	leat__hb_release(
	    e); /* the key's making, if it is the program's, before others compare with it */
	return e;
}

struct leat__map_entry *leat__map_insert(const struct leat__map_place *at, void *value)
{
	struct leat__map_shard *s = at->shard;
	struct leat__map_entry *e;

	if (!s->buckets && !resize(s, MIN_BUCKETS))
		return NULL;
	e = new_entry(at, value);
	if (!e)
		return NULL;
	push(s->buckets, e);
	/* Without memory the chains grow longer instead. */
	if (++s->count > s->buckets->mask + 1)
		resize(s, 2 * (s->buckets->mask + 1));
	return e;
}

void leat__map_remove(struct leat__map_shard *s, struct leat__map_entry **link)
{
	struct leat__map_entry *e = *link;
	size_t n = s->buckets->mask + 1;

	__atomic_store_n(link, e->next, __ATOMIC_RELEASE);
	waste_entry(s, e);
	if (--s->count < n / SPARSE && n > MIN_BUCKETS)
		resize(s, n / 2);
}

/* With all mutexes; what there was is for w. */
static void empty(struct leat__map_shard *s, struct waste *w)
{
	struct leat__map_buckets *b = s->buckets;

	if (unlikely(leat__sanitizers & LEAT__TSAN))
		for (uint32_t i = 0; i < LEAT__MAP_EDGES; i++)
			leat__hb_release(leat__map_edge(s, i << LEAT__MAP_EDGE_SHIFT));
	__atomic_store_n(&s->buckets, NULL, __ATOMIC_RELEASE);
	s->count = 0;
	for (size_t k = 0; b && k <= b->mask; k++)
		for (struct leat__map_entry *e = b->heads[k]; e; e = e->next)
			waste_entry(s, e);
	waste_buckets(s, b);
	collect(w, s);
}

void leat_map_clear(leat_map *m)
{
	struct leat__map_table *t = leat__map_table(m);
	struct waste w = {0};

	if (!t)
		return;
	for (uint32_t i = 0; i < t->shards; i++) {
		leat__mutex_lock(&t->shard[i].mutex);
		change_version(&t->shard[i]);
	}
	for (uint32_t i = 0; i < t->shards; i++)
		empty(&t->shard[i], &w);
	for (uint32_t i = 0; i < t->shards; i++) {
		change_version(&t->shard[i]);
		leat__mutex_unlock(&t->shard[i].mutex);
	}
	if (!w.entries && !w.buckets)
		return;
	wait_for_readers();
	free_waste(&w);
}

void leat_map_free(leat_map *m)
{
	struct leat__map_table *t = leat__map_table(m);
	struct waste w = {0};

	if (!t)
		return;
	for (uint32_t i = 0; i < t->shards; i++)
		empty(&t->shard[i], &w);
	free_waste(&w);
	m->leat__table = NULL;
	leat__hb_acquire(t);
	free(t);
}
