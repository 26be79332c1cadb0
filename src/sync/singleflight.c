/* SPDX-License-Identifier: MIT */
/*
 * Singleflight: flights by key, and who waits for them.
 *
 * A flight that is flown in the goroutine of its first caller lies on that one's stack, key and all; one with
 * a goroutine of its own, for callers that may leave or take a channel, is allocated.  Riders lie on the
 * stacks of who waits, and channels hang on the flight, linked by a field of theirs that is
 * free until they have the result.  So joining a flight allocates nothing.
 *
 * The group is a tree by the bits of the keys' hashes, most significant first: a flight may stand anywhere on
 * the way that its hash describes, so any leaf below it may take its place when it lands.  There is no
 * table that would need a destructor.  Flights of equal hashes stand on the same way.
 *
 * Invariants (the group's lock)
 *  - A flight is in the tree exactly while it is listed: from its beginning until it lands or is forgotten.
 *  - It is there, in memory, until it has landed; nobody looks at it afterwards: riders are taken off before,
 *    and one who leaves by his context looks at the flight only while he is queued.
 *
 * A flight lands (leat__flight_land) once and in whichever way fn ends, for that is a record, as deferred
 * functions are.  In the way of a panic the stack of fn is still there.  If nobody can be told, the panic is
 * reported from right there, before anything outside can catch it; if riders are, they raise it again, and the
 * flight's own goroutine, which has done its part, ends by goexit, which abandons a panic.
 *
 * Lock order: beside a channel's; nothing is taken under it.  fn, sends and readying come after the unlock.
 */
#include "base/copy.h"
#include "ctx/wait.h"
#include "sched/panic.h"

#include <leat/singleflight.h>

#include <errno.h>
#include <stdlib.h>

enum how { LANDED, PANICKED, GONE /* by goexit */ };

struct leat__flight {
	struct leat__flight *child[2];
	uint64_t hash;
	const char *key;
	leat_singleflight *group;
	leat_singleflight_fn fn;
	void *arg;
	struct leat__waiters riders;
	leat_chan *channels; /* by flight_next */
	size_t channel_count;
	bool listed;

	/* Of who flies it, or was told of it. */
	leat_singleflight_result result;
	bool returned; /* fn has */
	bool apart;    /* in a goroutine of its own */

	char copy[]; /* of the key, if apart */
};

struct rider {
	struct leat__waiter w;
	/* Written by who lands. */
	enum how how;
	leat_singleflight_result result;
	leat_panic_info panic;
};

/* --- by key.  Locked */

/* FNV-1a, and then a mix, since it is the upper bits that count. */
static uint64_t hash_of(const char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *key; key++)
		hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
	hash = (hash ^ hash >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return hash ^ hash >> 29;
}

/* By hand, for the thread sanitizer looks over strcmp's shoulder. */
static bool same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Where the flight for key is, or, when that is NULL, belongs. */
static struct leat__flight **place_of(leat_singleflight *g, const char *key, uint64_t hash)
{
	struct leat__flight **at = &g->leat__root;
	uint64_t way = hash;

	for (; *at; way <<= 1) {
		if ((*at)->hash == hash && same((*at)->key, key))
			break;
		at = &(*at)->child[way >> 63];
	}
	return at;
}

/* Take the flight that is there out of the tree. */
static void unlist(struct leat__flight **at)
{
	struct leat__flight *f = *at, **below = at, *leaf;

	while ((*below)->child[0] || (*below)->child[1])
		below = &(*below)->child[(*below)->child[0] == NULL];
	leaf = *below;
	*below = NULL;
	if (leaf != f) {
		leaf->child[0] = f->child[0];
		leaf->child[1] = f->child[1];
		*at = leaf;
	}
	f->listed = false;
}

/* --- landing */

/* Locked.  All who wait for f and did not leave, as a list, and how many. */
static struct leat__waiter *disembark(struct leat__flight *f, size_t *n)
{
	struct leat__waiter *w, *all = NULL, **link = &all;

	*n = 0;
	while ((w = leat__waiters_take(&f->riders))) {
		*link = w;
		link = &w->next;
		++*n;
	}
	*link = NULL;
	return all;
}

static void tell_riders(struct leat__m *m, const struct leat__flight *f, enum how how,
                        struct leat__waiter *w)
{
	struct leat__panic *panic = m->g->panics;
	struct leat__waiter *next;

	for (; w; w = next) {
		struct rider *r = container_of(w, struct rider, w);

		next = w->next; /* on the rider's stack, gone once it runs */
		r->how = how;
		r->result = f->result;
		if (how == PANICKED)
			leat__copy(&r->panic, &panic->info, sizeof r->panic);
		leat__hb_release(w);
		leat__ready(m, w->g, false);
	}
}

static void leat__flight_tell_channels(const struct leat__flight *f, enum how how)
{
	leat_singleflight_result result = f->result;
	leat_chan *c, *next;

	if (how == GONE)
		result = (leat_singleflight_result){.err = -ECANCELED, .shared = f->result.shared};
	for (c = f->channels; c; c = next) {
		next = c->flight_next; /* the channel may be freed once it has the result */
		c->flight_next = NULL;
		leat_chan_send(c, &result);
	}
}

/* The end of fn, by whichever way; run as what a goroutine deferred is. */
static void leat__flight_land(void *arg)
{
	struct leat__flight *f = arg;
	leat_singleflight *g = f->group;
	struct leat__m *m = leat__enter();
	/* A goexit has abandoned all panics. */
	enum how how = f->returned ? LANDED : m->g->panics ? PANICKED : GONE;
	struct leat__waiter *riders = NULL;
	bool apart = f->apart, deadly;
	size_t n = 0;

	leat__lock(&g->leat__lock);
	if (f->listed)
		unlist(place_of(g, f->key, f->hash));
	deadly = how == PANICKED && f->channels;
	if (!deadly)
		riders = disembark(f, &n);
	leat__unlock(&g->leat__lock);
	if (deadly || (how == PANICKED && apart && !n)) {
		leat__leave(m);
		leat__panic_now();
	}
	f->result.shared = n + f->channel_count + !apart > 1;
	tell_riders(m, f, how, riders);
	leat__leave(m);
	leat__flight_tell_channels(f, how);
	if (!apart)
		return;
	free(f);
	if (how == PANICKED)
		leat_goexit();
}

static void leat__flight_fly(struct leat__flight *f)
{
	leat__record landing = {.fn = leat__flight_land, .arg = f};

	leat__record_push(&landing);
	f->result.err = f->fn(f->arg, &f->result.value);
	f->returned = true;
	leat__record_leave(&landing);
}

static void leat__flight_apart(void *f)
{
	leat__flight_fly(f);
}

/* --- riding */

/* g, the goroutine of a flight that has just begun, may run.  Unlocked. */
static void take_off(struct leat__m *m, struct leat__g *g, bool soon)
{
	leat__hb_release(g);
	leat__g_enroll(m, g);
	leat__ready(m, g, soon);
}

/* Wait for f, whose group is locked, and start its goroutine, if any.  Unlocks, leaves, and ends the watch of
   ctx.  0 with *result, or why ctx is done. */
static NOINLINE int leat__flight_ride(struct leat__m *m, struct leat__flight *f,
                                      struct leat__g *starting, leat_singleflight_result *result,
                                      leat_ctx *ctx)
{
	leat_singleflight *g = f->group;
	struct rider r;
	int err;

	leat__hb_renew(&r.w);
	leat__queue(m, &f->riders, &r.w, ctx, LEAT__WAIT_FLIGHT);
	leat__unlock(&g->leat__lock);
	if (starting)
		take_off(m, starting, true);
	m = leat__await_ctx(m, ctx, &err);
	if (err) {
		leat__lock(&g->leat__lock);
		leat__unqueue(&f->riders, &r.w); /* the address alone, where f has landed */
		leat__unlock(&g->leat__lock);
	}
	leat__leave(m);
	leat__ctx_end_wait(ctx);
	if (err)
		return err;
	leat__hb_acquire(&r.w);
	if (r.how == PANICKED)
		leat_repanic(&r.panic);
	if (r.how == GONE)
		leat_goexit();
	if (result)
		*result = r.result;
	return 0;
}

/* --- beginning */

void leat_singleflight_do(leat_singleflight *g, const char *key, leat_singleflight_fn fn, void *arg,
                          leat_singleflight_result *result)
{
	struct leat__flight f = {
	    .hash = hash_of(key), .key = key, .group = g, .fn = fn, .arg = arg, .listed = true};
	struct leat__m *m = leat__enter();
	struct leat__flight **at;

	leat__lock(&g->leat__lock);
	at = place_of(g, key, f.hash);
	if (*at) {
		leat__flight_ride(m, *at, NULL, result, NULL);
		return;
	}
	*at = &f;
	leat__unlock(&g->leat__lock);
	leat__leave(m);
	leat__flight_fly(&f);
	if (result)
		*result = f.result;
}

static struct leat__flight *new_flight(leat_singleflight *g, const char *key, uint64_t hash,
                                       leat_singleflight_fn fn, void *arg)
{
	struct leat__flight *f;
	size_t bytes = 1;

	while (key[bytes - 1])
		bytes++;
	f = malloc(sizeof *f + bytes);
	if (!f)
		return NULL;
	*f = (struct leat__flight){
	    .hash = hash, .group = g, .fn = fn, .arg = arg, .listed = true, .apart = true};
	leat__copy(f->copy, key, bytes);
	f->key = f->copy;
	return f;
}

/* The flight for key, and *in, who is in the runtime with g locked; or a new one, whose goroutine is then
   *starting, for the caller to start.  NULL, and nothing of it, when memory is out. */
static struct leat__flight *find_or_begin(leat_singleflight *g, const char *key,
                                          leat_singleflight_fn fn, void *arg, void *created_at,
                                          struct leat__m **in, struct leat__g **starting)
{
	uint64_t hash = hash_of(key);
	struct leat__flight **at, *spare;
	struct leat__g *runner;
	struct leat__m *m;

	for (;;) {
		m = *in = leat__enter();
		*starting = NULL;
		leat__lock(&g->leat__lock);
		at = place_of(g, key, hash);
		if (*at)
			return *at;
		leat__unlock(&g->leat__lock);
		leat__leave(m);

		spare = new_flight(g, key, hash, fn, arg);
		if (!spare)
			return NULL;
		m = *in = leat__enter();
		runner = leat__g_reserve(m, leat__flight_apart, spare, created_at);
		if (runner) {
			leat__lock(&g->leat__lock);
			at = place_of(g, key, hash);
			if (!*at) {
				*starting = runner;
				return *at = spare;
			}
			leat__unlock(&g->leat__lock);
			leat__g_unreserve(m, runner);
		}
		leat__leave(m);
		free(spare);
		if (!runner)
			return NULL;
	}
}

int leat_singleflight_do_ctx(leat_singleflight *g, const char *key, leat_singleflight_fn fn,
                             void *arg, leat_singleflight_result *result, leat_any_ctx ctx)
{
	int err = leat__ctx_begin_wait(ctx.leat__ctx);
	struct leat__flight *f;
	struct leat__g *starting;
	struct leat__m *m;

	if (err)
		return err;
	f = find_or_begin(g, key, fn, arg, __builtin_return_address(0), &m, &starting);
	if (!f) {
		leat__ctx_end_wait(ctx.leat__ctx);
		leat__panic_runtime("out of memory");
	}
	return leat__flight_ride(m, f, starting, result, ctx.leat__ctx);
}

LEAT_RECV_CHAN(leat_singleflight_result)
leat_singleflight_do_chan(leat_singleflight *g, const char *key, leat_singleflight_fn fn, void *arg)
{
	leat_chan *c = leat__chan_new(sizeof(leat_singleflight_result), 1);
	struct leat__flight *f;
	struct leat__g *starting;
	struct leat__m *m;

	f = find_or_begin(g, key, fn, arg, __builtin_return_address(0), &m, &starting);
	if (!f) {
		leat__chan_delete(c);
		leat__panic_runtime("out of memory");
	}
	c->flight_next = f->channels;
	f->channels = c;
	f->channel_count++;
	leat__unlock(&g->leat__lock);
	if (starting)
		take_off(m, starting, false);
	leat__leave(m);
	return (LEAT_RECV_CHAN(leat_singleflight_result))(void *)c;
}

void leat_singleflight_forget(leat_singleflight *g, const char *key)
{
	uint64_t hash = hash_of(key);
	struct leat__m *m = leat__enter();
	struct leat__flight **at;

	leat__lock(&g->leat__lock);
	at = place_of(g, key, hash);
	if (*at)
		unlist(at);
	leat__unlock(&g->leat__lock);
	leat__leave(m);
}
