/* SPDX-License-Identifier: MIT */
/*
 * Duplicates: which requests have come lately, and the results that wait for later ones.
 *
 * The requests are in a ring, in the order in which they came first, so that what is forgotten, for its age or for want
 * of room, is always the oldest.  A table finds a request by its number: open addressing with linear probing, twice as
 * many places as the ring has, and deletion by moving back what follows, so that it never fills up with gravestones.
 * Its hash is seeded, so that nobody can choose numbers that collide.
 *
 * A request is WAITING while its result lies there, and TAKEN from then on; where the first is accepted it is TAKEN at
 * once.  One that waits is not forgotten, whatever its age.
 *
 * Invariants (the mutex)
 *  - ring[oldest .. newest) by increasing `at`; the table has just these, each once.
 *  - All from oldest up to first_waiting are TAKEN, and first_waiting is not, if there is one.
 *  - If results wait, and somebody waits for them in leat_duplicates_next, then the channel `wake` has a token, or one of
 *    these is not parked, or is to wake when the first result is due.  So who leaves passes the token on.
 *
 * Times that are equal, or that a clock shows in another order than the calls had, only make for a wrong order among
 * requests that are as old.
 */
#include "base/copy.h"
#include "base/random.h"
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/timer.h"

#include <leat/defer.h>
#include <leat/duplicates.h>
#include <leat/mutex.h>
#include <leat/panic.h>
#include <leat/select.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>

#define MOST ((size_t)1 << 30)

struct request {
	uint64_t id;
	int64_t at; /* when it came first */
	bool waiting;
};

struct leat_duplicates {
	leat_mutex mutex; /* over all below but what is never changed */
	size_t count, mask, elem_bytes, stride;
	int64_t age_ns, hold_ns;
	bool last;
	void (*discard)(void *);
	uint64_t seed;
	uint64_t oldest, first_waiting, newest; /* positions, which grow; modulo count: in the ring */
	uint64_t accepted, dropped, forgotten_early;
	size_t nexts; /* calls of leat_duplicates_next that may be parked */
	leat_chan *wake;
	struct request *ring;
	char *values;    /* one for each of the ring */
	uint32_t *table; /* 0: free, else 1 + the place in the ring */
};

static struct request *at(leat_duplicates *d, uint64_t position)
{
	return &d->ring[position % d->count];
}

static void *value_of(leat_duplicates *d, const struct request *r)
{
	return d->values + (size_t)(r - d->ring) * d->stride;
}

/* --- the table */

static size_t home(const leat_duplicates *d, uint64_t id)
{
	return (size_t)leat__random_seed(id ^ d->seed) & d->mask;
}

/* Where id is in the table, or the free place where it belongs. */
static size_t place_of(const leat_duplicates *d, uint64_t id)
{
	size_t i = home(d, id);

	while (d->table[i] && d->ring[d->table[i] - 1].id != id)
		i = (i + 1) & d->mask;
	return i;
}

static struct request *find(leat_duplicates *d, uint64_t id)
{
	uint32_t found = d->table[place_of(d, id)];

	return found ? &d->ring[found - 1] : NULL;
}

static void remove_id(leat_duplicates *d, uint64_t id)
{
	size_t hole = place_of(d, id);

	for (size_t i = (hole + 1) & d->mask; d->table[i]; i = (i + 1) & d->mask) {
		size_t from = home(d, d->ring[d->table[i] - 1].id);

		/* What has its home at the hole or before it may move there. */
		if (((i - from) & d->mask) >= ((i - hole) & d->mask)) {
			d->table[hole] = d->table[i];
			hole = i;
		}
	}
	d->table[hole] = 0;
}

/* --- the ring */

static void forget_oldest(leat_duplicates *d)
{
	remove_id(d, at(d, d->oldest)->id);
	d->oldest++; /* it was taken, so first_waiting is beyond it */
}

static void skip_taken(leat_duplicates *d)
{
	while (d->first_waiting < d->newest && !at(d, d->first_waiting)->waiting)
		d->first_waiting++;
}

static void forget_what_is_old(leat_duplicates *d, int64_t now)
{
	if (d->age_ns == 0)
		return;
	while (d->oldest < d->newest && !at(d, d->oldest)->waiting &&
	       now - at(d, d->oldest)->at >= d->age_ns)
		forget_oldest(d);
}

/* A place for a new request, or NULL where all are taken by results that wait. */
static struct request *insert(leat_duplicates *d, uint64_t id, int64_t now, bool waiting)
{
	struct request *r;

	if (d->newest - d->oldest == d->count) {
		if (at(d, d->oldest)->waiting)
			return NULL;
		forget_oldest(d);
		d->forgotten_early++;
	}
	r = at(d, d->newest);
	*r = (struct request){id, now, waiting};
	d->table[place_of(d, id)] = 1 + (uint32_t)(r - d->ring);
	d->newest++;
	d->accepted++;
	skip_taken(d);
	return r;
}

/* --- made and freed */

static void leat__duplicates_prepare(void *arg)
{
	leat_duplicates *d = arg;
	size_t places = 2, bytes;

	while (places < 2 * d->count)
		places *= 2;
	d->mask = places - 1;
	if (d->last && (__builtin_mul_overflow(d->count, d->stride, &bytes) || bytes > PTRDIFF_MAX ||
	                !(d->values = malloc(bytes))))
		leat__panic_runtime("out of memory");
	d->ring = calloc(d->count, sizeof *d->ring);
	d->table = calloc(places, sizeof *d->table);
	if (!d->ring || !d->table)
		leat__panic_runtime("out of memory");
	d->wake = leat_chan_make(0, 1);
}

static void free_parts(leat_duplicates *d)
{
	leat_chan_free(d->wake);
	free(d->values);
	free(d->table);
	free(d->ring);
	free(d);
}

static leat_duplicates *leat__duplicates_make(const leat_duplicates *like)
{
	leat_duplicates *d;

	if (like->count == 0 || like->count > MOST)
		leat__panic_runtime("duplicates: size out of range");
	if (like->age_ns < 0 || like->hold_ns < 0)
		leat__panic_runtime("duplicates: negative time");
	d = calloc(1, sizeof *d);
	if (!d)
		leat__panic_runtime("out of memory");
	*d = *like;
	d->seed = (uint64_t)leat__random(NULL) << 32 | leat__random(NULL);
	if (leat_catch(leat__duplicates_prepare, d, NULL)) {
		free_parts(d);
		leat__panic_runtime("out of memory");
	}
	return d;
}

leat_duplicates *leat_duplicates_make(size_t count, int64_t age_ns)
{
	leat_duplicates d = {.count = count, .age_ns = age_ns};

	return leat__duplicates_make(&d);
}

leat_duplicates *leat_duplicates_make_last(size_t elem_bytes, size_t count, int64_t age_ns,
                                           int64_t hold_ns, void (*discard)(void *))
{
	leat_duplicates d = {.count = count,
	                     .age_ns = age_ns,
	                     .last = true,
	                     .elem_bytes = elem_bytes,
	                     .hold_ns = hold_ns,
	                     .discard = discard};

	if (elem_bytes > PTRDIFF_MAX)
		leat__panic_runtime("duplicates: size out of range");
	d.stride = ((elem_bytes + 15) & ~(size_t)15) + (elem_bytes == 0);
	return leat__duplicates_make(&d);
}

void leat_duplicates_free(leat_duplicates *d)
{
	size_t nexts;

	if (!d)
		return;
	leat_mutex_lock(&d->mutex);
	nexts = d->nexts;
	leat_mutex_unlock(&d->mutex);
	if (nexts)
		leat__panic_runtime("duplicates_free: goroutines are waiting");
	for (uint64_t i = d->first_waiting; i < d->newest; i++)
		if (at(d, i)->waiting && d->discard)
			d->discard(value_of(d, at(d, i)));
	free_parts(d);
}

leat_duplicates_counts leat_duplicates_stats(leat_duplicates *d)
{
	leat_duplicates_counts c;

	leat_mutex_lock(&d->mutex);
	forget_what_is_old(d, leat_now());
	c = (leat_duplicates_counts){d->accepted, d->dropped, d->forgotten_early,
	                             (size_t)(d->newest - d->oldest)};
	leat_mutex_unlock(&d->mutex);
	return c;
}

/* --- the first */

bool leat_duplicates_first(leat_duplicates *d, uint64_t id)
{
	int64_t now = leat_now();
	bool first;

	if (d->last)
		leat__panic_runtime("duplicates: it accepts the last");
	leat_mutex_lock(&d->mutex);
	forget_what_is_old(d, now);
	first = !find(d, id);
	if (first)
		insert(d, id, now, false);
	else
		d->dropped++;
	leat_mutex_unlock(&d->mutex);
	return first;
}

/* --- the last */

static void leat__duplicates_check_last(const leat_duplicates *d)
{
	if (!d->last)
		leat__panic_runtime("duplicates: it accepts the first");
}

static void wake_one(leat_duplicates *d)
{
	static const char token;

	if (d->first_waiting < d->newest && d->nexts)
		leat_chan_try_send(d->wake, &token);
}

static void leat__duplicates_unlock(void *arg)
{
	leat_duplicates *d = arg;

	leat_mutex_unlock(&d->mutex);
}

int leat_duplicates_put(leat_duplicates *d, uint64_t id, const void *elem)
{
	int64_t now = leat_now();
	struct request *r;

	leat__duplicates_check_last(d);
	leat_mutex_lock(&d->mutex);
	LEAT_DEFER(leat__duplicates_unlock, d);
	forget_what_is_old(d, now);
	r = find(d, id);
	if (r) {
		d->dropped++;
		if (!r->waiting)
			return -EALREADY;
		if (d->discard)
			d->discard(value_of(d, r));
		leat__copy(value_of(d, r), elem, d->elem_bytes);
		return 0;
	}
	r = insert(d, id, now, true);
	if (!r)
		return -ENOBUFS;
	leat__copy(value_of(d, r), elem, d->elem_bytes);
	wake_one(d);
	return 0;
}

/* Locked. */
static void take(leat_duplicates *d, struct request *r, void *elem)
{
	leat__copy(elem, value_of(d, r), d->elem_bytes);
	r->waiting = false;
	skip_taken(d);
}

bool leat_duplicates_take(leat_duplicates *d, uint64_t id, void *elem)
{
	struct request *r;
	bool there;

	leat__duplicates_check_last(d);
	leat_mutex_lock(&d->mutex);
	r = find(d, id);
	there = r && r->waiting;
	if (there)
		take(d, r, elem);
	leat_mutex_unlock(&d->mutex);
	return there;
}

/* Take the oldest that waits, if its time has come: 0; else how long that is, LEAT_FOREVER where none waits. */
static int64_t leat__duplicates_take_due(leat_duplicates *d, uint64_t *id, void *elem)
{
	int64_t due, left = LEAT_FOREVER;
	struct request *r;

	leat_mutex_lock(&d->mutex);
	r = at(d, d->first_waiting);
	if (d->first_waiting < d->newest && !__builtin_add_overflow(r->at, d->hold_ns, &due)) {
		left = due - leat_now();
		if (left <= 0) {
			*id = r->id;
			take(d, r, elem);
			left = 0;
		}
	}
	leat_mutex_unlock(&d->mutex);
	return left;
}

/* On every way out. */
static void leat__duplicates_leave(void *arg)
{
	leat_duplicates *d = arg;

	leat_mutex_lock(&d->mutex);
	d->nexts--;
	wake_one(d);
	leat_mutex_unlock(&d->mutex);
}

int leat_duplicates_next(leat_duplicates *d, uint64_t *id, void *elem, leat_any_ctx ctx)
{
	leat__duplicates_check_last(d);
	leat_case cases[2] = {{d->wake, LEAT_RECV, NULL},
	                      {(leat_chan *)(void *)leat_ctx_done(ctx), LEAT_RECV, NULL}};

	leat_mutex_lock(&d->mutex);
	d->nexts++;
	leat_mutex_unlock(&d->mutex);
	LEAT_DEFER(leat__duplicates_leave, d);
	for (;;) {
		int err = leat_ctx_err(ctx);
		int64_t left;

		if (err)
			return err;
		left = leat__duplicates_take_due(d, id, elem);
		if (left == 0)
			return 0;
		leat_select(cases, ARRAY_LEN(cases), left, NULL);
	}
}
