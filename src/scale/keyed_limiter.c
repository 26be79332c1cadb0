/* SPDX-License-Identifier: MIT */
/*
 * Keyed limiter: a hash table of limiters, in which a new key takes the place of an idle one.
 *
 * Invariants (the mutex)
 *  - count <= max.  An entry is in the chain of its hash, and in the list of all, the most recently used first.
 *  - users counts the calls that have the entry; while there are any it stays.
 *  - None that nobody uses is idle before idle_at: who ends a use says when the entry will be.
 *
 * The hash is seeded, since keys may come from whoever wants to be where all others are.
 *
 * Lock order: the mutex, then an entry's limiter.  Nothing is allocated under the mutex.
 */
#include "sched/policy.h"
#include "sched/scheduler.h"
#include "sync/limiter.h"

#include <leat/defer.h>
#include <leat/keyed_limiter.h>
#include <leat/mutex.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct entry {
	struct entry *next; /* in its chain, or of those to be freed */
	struct entry *newer, *older;
	leat_limiter limiter;
	uint64_t hash;
	size_t users;
	char key[];
};

struct leat_keyed_limiter {
	leat_mutex mutex;
	double rate;
	int64_t burst;
	size_t max, count;
	uint64_t seed, evicted;
	int64_t idle_at;
	struct entry *newest, *oldest;
	size_t chains; /* a power of two */
	struct entry *chain[];
};

/* FNV-1a, begun at a random place and mixed at the end, so that its low bits are good. */
static uint64_t hash_of(const leat_keyed_limiter *l, const char *key)
{
	uint64_t h = UINT64_C(0xCBF29CE484222325) ^ l->seed;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * UINT64_C(0x100000001B3);
	return leat__random_seed(h ^ l->seed);
}

leat_keyed_limiter *leat_keyed_limiter_make(double rate, int64_t burst, size_t max_keys)
{
	leat_keyed_limiter *l = NULL;
	size_t chains = 1, bytes;
	struct leat__m *m;

	if (max_keys == 0)
		leat__panic_runtime("keyed_limiter: no keys");
	while (chains < max_keys && chains <= SIZE_MAX / 4)
		chains *= 2;
	if (!__builtin_mul_overflow(chains, sizeof l->chain[0], &bytes) &&
	    !__builtin_add_overflow(bytes, sizeof *l, &bytes))
		l = calloc(1, bytes);
	if (!l)
		leat__panic_runtime("out of memory");
	l->rate = rate;
	l->burst = burst;
	l->max = max_keys;
	l->chains = chains;
	l->idle_at = INT64_MIN;
	m = leat__enter();
	l->seed = (uint64_t)leat__random(m->p) << 32 | leat__random(m->p);
	leat__leave(m);
	return l;
}

static void free_all(struct entry *e)
{
	struct entry *next;

	for (; e; e = next) {
		next = e->next;
		free(e);
	}
}

void leat_keyed_limiter_free(leat_keyed_limiter *l)
{
	struct entry *e, *older;

	if (!l)
		return;
	for (e = l->newest; e; e = older) {
		older = e->older;
		free(e);
	}
	free(l);
}

/* --- with the mutex */

static struct entry **find(leat_keyed_limiter *l, uint64_t hash, const char *key)
{
	struct entry **at = &l->chain[hash & (l->chains - 1)];

	while (*at && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
		at = &(*at)->next;
	return at;
}

static void unlist(leat_keyed_limiter *l, struct entry *e)
{
	*(e->newer ? &e->newer->older : &l->newest) = e->older;
	*(e->older ? &e->older->newer : &l->oldest) = e->newer;
}

static void list_first(leat_keyed_limiter *l, struct entry *e)
{
	e->newer = NULL;
	e->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = e;
	l->newest = e;
}

/* When the bucket will be full: now, if it is. */
static int64_t full_at(leat_keyed_limiter *l, struct entry *e, int64_t now)
{
	struct leat__m *m = leat__enter();
	int64_t wait_ns, at;

	leat__lock(&e->limiter.leat__lock);
	wait_ns = leat__limiter_turn(&e->limiter, (double)l->burst, now);
	leat__unlock(&e->limiter.leat__lock);
	leat__leave(m);
	return __builtin_add_overflow(now, wait_ns, &at) ? INT64_MAX : at;
}

/* Take idle ones out, so many at most, the least recently used first; they are the caller's. */
static struct entry *evict(leat_keyed_limiter *l, size_t most, size_t *evicted)
{
	int64_t now = leat_now(), idle_at = INT64_MAX;
	struct entry *gone = NULL, *e, *newer;
	size_t n = 0;

	if (now < l->idle_at)
		return NULL;
	for (e = l->oldest; e && n < most; e = newer) {
		int64_t at = e->users ? INT64_MAX : full_at(l, e, now);

		newer = e->newer;
		if (at > now) {
			if (at < idle_at)
				idle_at = at;
			continue;
		}
		*find(l, e->hash, e->key) = e->next;
		unlist(l, e);
		e->next = gone;
		gone = e;
		n++;
	}
	if (!e)
		l->idle_at = idle_at; /* all were looked at */
	l->count -= n;
	l->evicted += n;
	*evicted += n;
	return gone;
}

static void to_front(leat_keyed_limiter *l, struct entry *e)
{
	unlist(l, e);
	list_first(l, e);
}

static void insert(leat_keyed_limiter *l, struct entry *e)
{
	struct entry **chain = &l->chain[e->hash & (l->chains - 1)];

	e->next = *chain;
	*chain = e;
	list_first(l, e);
	l->count++;
}

/* --- */

static struct entry *new_entry(leat_keyed_limiter *l, uint64_t hash, const char *key)
{
	size_t bytes = strlen(key) + 1;
	struct entry *e = malloc(sizeof *e + bytes);

	if (!e)
		leat__panic_runtime("out of memory");
	*e = (struct entry){.hash = hash, .limiter = LEAT_LIMITER(l->rate, l->burst), .users = 1};
	memcpy(e->key, key, bytes);
	return e;
}

/* The key's entry, which stays until leave; NULL: there is no room. */
static struct entry *leat__keyed_limiter_use(leat_keyed_limiter *l, uint64_t hash, const char *key)
{
	struct entry *e, *fresh, *gone = NULL;
	size_t evicted = 0;

	leat_mutex_lock(&l->mutex);
	e = *find(l, hash, key);
	if (e) {
		to_front(l, e);
		e->users++;
	}
	leat_mutex_unlock(&l->mutex);
	if (e)
		return e;

	fresh = new_entry(l, hash, key);
	leat_mutex_lock(&l->mutex);
	e = *find(l, hash, key); /* another may have come meanwhile */
	if (e) {
		to_front(l, e);
		e->users++;
	} else {
		if (l->count == l->max)
			gone = evict(l, 1, &evicted);
		if (l->count < l->max) {
			insert(l, fresh);
			e = fresh;
			fresh = NULL;
		}
	}
	leat_mutex_unlock(&l->mutex);
	free(fresh);
	free_all(gone);
	return e;
}

struct use {
	leat_keyed_limiter *l;
	struct entry *e;
};

/* Also where a wait panics. */
static void leat__keyed_limiter_leave(void *arg)
{
	struct use *u = arg;

	leat_mutex_lock(&u->l->mutex);
	if (--u->e->users == 0) {
		int64_t at = full_at(u->l, u->e, leat_now());

		if (at < u->l->idle_at)
			u->l->idle_at = at;
	}
	leat_mutex_unlock(&u->l->mutex);
}

bool leat_keyed_limiter_allow_n(leat_keyed_limiter *l, const char *key, int64_t n)
{
	struct use u = {.l = l};
	bool ok = false;
	uint64_t hash;

	leat__limiter_check_n(n);
	hash = hash_of(l, key);
	leat_mutex_lock(&l->mutex);
	u.e = *find(l, hash, key);
	if (u.e) {
		to_front(l, u.e);
		ok = leat_limiter_allow_n(&u.e->limiter, n); /* which makes it idle later, if at all */
	}
	leat_mutex_unlock(&l->mutex);
	if (u.e)
		return ok;
	u.e = leat__keyed_limiter_use(l, hash, key);
	if (!u.e)
		return false;
	ok = leat_limiter_allow_n(&u.e->limiter, n);
	leat__keyed_limiter_leave(&u);
	return ok;
}

bool leat_keyed_limiter_allow(leat_keyed_limiter *l, const char *key)
{
	return leat_keyed_limiter_allow_n(l, key, 1);
}

int leat_keyed_limiter_wait_n_ctx(leat_keyed_limiter *l, const char *key, int64_t n,
                                  leat_any_ctx ctx)
{
	struct use u = {.l = l};
	int err;

	leat__limiter_check_n(n);
	err = leat_ctx_err(ctx);
	if (err)
		return err;
	u.e = leat__keyed_limiter_use(l, hash_of(l, key), key);
	if (!u.e)
		return -ENOSPC;
	LEAT_DEFER(leat__keyed_limiter_leave, &u);
	return leat_limiter_wait_n_ctx(&u.e->limiter, n, ctx);
}

int leat_keyed_limiter_wait_ctx(leat_keyed_limiter *l, const char *key, leat_any_ctx ctx)
{
	return leat_keyed_limiter_wait_n_ctx(l, key, 1, ctx);
}

int leat_keyed_limiter_wait(leat_keyed_limiter *l, const char *key)
{
	return leat_keyed_limiter_wait_n_ctx(l, key, 1, (leat_any_ctx)(leat_ctx *)NULL);
}

double leat_keyed_limiter_tokens(leat_keyed_limiter *l, const char *key)
{
	uint64_t hash = hash_of(l, key);
	double tokens = (double)l->burst;
	struct entry *e;

	leat_mutex_lock(&l->mutex);
	e = *find(l, hash, key);
	if (e)
		tokens = leat_limiter_tokens(&e->limiter);
	leat_mutex_unlock(&l->mutex);
	return tokens;
}

size_t leat_keyed_limiter_len(leat_keyed_limiter *l)
{
	size_t n;

	leat_mutex_lock(&l->mutex);
	n = l->count;
	leat_mutex_unlock(&l->mutex);
	return n;
}

uint64_t leat_keyed_limiter_evicted(leat_keyed_limiter *l)
{
	uint64_t n;

	leat_mutex_lock(&l->mutex);
	n = l->evicted;
	leat_mutex_unlock(&l->mutex);
	return n;
}

size_t leat_keyed_limiter_trim(leat_keyed_limiter *l)
{
	struct entry *gone;
	size_t n = 0;

	leat_mutex_lock(&l->mutex);
	gone = evict(l, SIZE_MAX, &n);
	leat_mutex_unlock(&l->mutex);
	free_all(gone);
	return n;
}
