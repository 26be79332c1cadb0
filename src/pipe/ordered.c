/* SPDX-License-Identifier: MIT */
/*
 * A parallel map whose results come in the order of the input.
 *
 * A ring has a place for each value that was received and whose result was not yet sent.  The reader, a goroutine of its
 * own, receives each value into the next place, and sends the number of that to the workers.  A worker calls the
 * function, whose result goes into the place, too; and, if that is the first place and nobody is at it, sends what is
 * ready from there on, until it comes to a place that is not.  The others meanwhile go on, as far as there are places.
 *
 * Invariants
 *  - lock: sent, sending, over, and whether a place is ready.  received is the reader's.
 *  - sent <= received <= sent + places.  A place is the reader's, then the worker's that has its number, until it is
 *    ready; then it is whose who sends.
 *  - When a worker ends in its function, by a panic or goexit, there is a place that will never be ready: over, the
 *    reader and so the others end.
 *  - The reader closes the channel to the workers, whichever way it ends.  It waits for a place with the context, so
 *    that it does not depend on anybody.
 *
 * Rejected: workers that receive for themselves, one at a time: each value takes a mutex from one to the next who
 * then waits for its processor, 2 workers of 2 us a value are no faster than one; one more goroutine that sends.
 */
#include "pipe/meter.h"

#include "sched/panic.h"
#include "scope/scope.h"

#include <leat/cond.h>
#include <leat/defer.h>
#include <leat/mutex.h>

typedef void leat__map_fn(const void *in, void *out, void *args);

#define AHEAD_MAX     10000000
#define STRIDE(bytes) (((bytes) + 15) & ~(size_t)15)

struct ring {
	leat_mutex lock;
	leat_cond room;          /* there is a place, or it is over; the reader waits */
	uint32_t received, sent; /* modulo 2^32 */
	bool sending, over;
	uint32_t places, first, next; /* the place to send from, to receive into */
	char *values, *results;
	size_t value_bytes, result_bytes;
	bool *ready;
	/* For the monitor */
	uint64_t *since; /* each place's value was received, as leat__meter_recv_for_others has it */
	uint64_t full_ticks,
	    full_from;      /* how long there was no place; lock.  full_from of 0: there is one */
	int alive;          /* the reader and the workers; lock */
	leat_chan *numbers; /* to the workers; has room for all */
};

static uint32_t after(const struct ring *r, uint32_t place)
{
	return place + 1 < r->places ? place + 1 : 0;
}

/* --- the reader */

static bool metered(const struct leat__stage *st)
{
	return unlikely(__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) != NULL);
}

/* Since there is a meter, the reader has had no place for so long.  Locked. */
static uint64_t full_ticks(const struct leat__stage *st, const struct ring *r)
{
	return r->full_ticks +
	       (r->full_from ? leat__meter_now(st->meter->monitor) + 1 - r->full_from : 0);
}

/* What the last one of a stage finds was received and not sent is lost. */
static void leat__one_ends(struct leat__stage *st, struct ring *r)
{
	bool last;

	leat_mutex_lock(&r->lock);
	last = --r->alive == 0;
	leat_mutex_unlock(&r->lock);
	for (uint32_t i = 0; last && metered(st) && i < r->places; i++)
		if (r->since[i])
			leat__meter_drops_of_other(st, r->since[i]);
}

/* False: it is over. */
static bool leat__await_place(struct leat__stage *st, struct ring *r)
{
	bool over;

	leat_mutex_lock(&r->lock);
	if (metered(st) && r->received - r->sent == r->places)
		r->full_from = leat__meter_now(st->meter->monitor) + 1;
	while (!r->over && r->received - r->sent == r->places)
		if (leat_cond_wait_ctx(&r->room, &r->lock, (leat_any_ctx)st->scope) != 0)
			r->over = true;
	if (r->full_from) {
		r->full_ticks = full_ticks(st, r);
		r->full_from = 0;
	}
	over = r->over;
	leat_mutex_unlock(&r->lock);
	return !over;
}

static bool leat__read_one(struct leat__stage *st, struct ring *r)
{
	char *value = r->values + r->next * r->value_bytes;
	bool taken;

	if (metered(st))
		return leat__meter_recv_for_others(st, 0, value, &r->since[r->next]);
	return leat__stage_recv_plain(st, 0, value, &taken);
}

static void leat__read(void *arg)
{
	struct leat__stage *st = *(struct leat__stage **)arg;
	struct ring *r = st->state;

	while (leat__await_place(st, r) && leat__read_one(st, r)) {
		leat_chan_send(r->numbers, &r->next);
		r->received++;
		r->next = after(r, r->next);
	}
	leat_chan_close(r->numbers);
	leat__one_ends(st, r);
}

/* --- workers */

/* The first place's. */
static bool leat__send_first(struct leat__stage *st, struct ring *r)
{
	const char *result = r->results + r->first * r->result_bytes;
	uint64_t since = r->since[r->first];

	if (!metered(st))
		return leat__stage_send(st, 0, result);
	r->since[r->first] = 0;
	return leat__meter_send_of_other(st, 0, result, since);
}

/* Places that are ready, from the first on.  Locked, and so on return. */
static void leat__send_ready(struct leat__stage *st, struct ring *r)
{
	if (r->sending)
		return;
	r->sending = true;
	while (r->ready[r->first]) {
		bool sent;

		leat_mutex_unlock(&r->lock);
		sent = leat__send_first(st, r);
		leat_mutex_lock(&r->lock);
		if (!sent) {
			r->over = true;
			break;
		}
		r->ready[r->first] = false;
		r->first = after(r, r->first);
		r->sent++;
		leat_cond_signal(&r->room);
	}
	r->sending = false;
}

struct caller {
	struct leat__stage *stage;
	struct ring *ring;
	bool inside; /* the function */
};

/* Deferred. */
static void leat__caller_ends(void *arg)
{
	struct caller *c = arg;

	if (c->inside) {
		leat_mutex_lock(&c->ring->lock);
		c->ring->over = true;
		leat_cond_signal(&c->ring->room);
		leat_mutex_unlock(&c->ring->lock);
	}
	leat__one_ends(c->stage, c->ring);
}

/* With the clock: while there is no place, those who have nothing to do wait for the output. */
static bool leat__take_number_metered(struct leat__stage *st, struct ring *r, uint32_t *place)
{
	uint64_t full;
	bool ok;

	leat_mutex_lock(&r->lock);
	full = full_ticks(st, r);
	leat_mutex_unlock(&r->lock);
	leat__meter_asks(st);
	ok = leat_chan_recv(r->numbers, place);
	leat__meter_took(st, 0, false);
	leat_mutex_lock(&r->lock);
	full = full_ticks(st, r) - full;
	leat_mutex_unlock(&r->lock);
	leat__meter_waited_out(st, full);
	return ok;
}

static bool leat__take_number(struct leat__stage *st, struct ring *r, uint32_t *place)
{
	return (metered(st) ? leat__take_number_metered(st, r, place)
	                    : leat_chan_recv(r->numbers, place)) &&
	       !leat__stage_over(st);
}

static void leat__run_ordered(struct leat__stage *st, void *in, void *out)
{
	leat__map_fn *fn = (leat__map_fn *)st->fn;
	struct ring *r = st->state;
	struct caller caller = {.stage = st, .ring = r};
	leat__record end = {.fn = leat__caller_ends, .arg = &caller};
	uint32_t place;

	(void)in;
	(void)out;
	leat__record_push(&end);
	while (leat__take_number(st, r, &place)) {
		caller.inside = true;
		fn(r->values + place * r->value_bytes, r->results + place * r->result_bytes, st->args);
		caller.inside = false;
		leat_mutex_lock(&r->lock);
		r->ready[place] = true;
		leat__send_ready(st, r);
		leat_mutex_unlock(&r->lock);
	}
	leat__record_leave(&end);
}

leat_chan *leat_pipe_map_ordered(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                 size_t out_bytes,
                                 void (*fn)(const void *in, void *out, void *args),
                                 const void *args, size_t args_bytes)
{
	struct leat__stage *st;
	struct ring *r;

	if (at.ahead < 0 || at.ahead > AHEAD_MAX)
		leat__panic_runtime("pipe: look-ahead out of range");
	st = leat__stage_new(&at, &(struct leat__shape){.kind = "map_ordered",
	                                                .run = leat__run_ordered,
	                                                .fn = (void (*)(void))fn,
	                                                .args = args,
	                                                .args_bytes = args_bytes,
	                                                .state_bytes = sizeof *r,
	                                                .inlets = 1,
	                                                .outlets = 1});
	r = st->state;
	r->places = at.ahead ? (uint32_t)at.ahead : 2 * (uint32_t)st->workers;
	r->value_bytes = STRIDE(in_bytes);
	r->result_bytes = STRIDE(out_bytes);
	r->values = leat_scope_calloc(at.scope, r->places, r->value_bytes);
	r->results = leat_scope_calloc(at.scope, r->places, r->result_bytes);
	r->ready = leat_scope_calloc(at.scope, r->places, sizeof *r->ready);
	r->since = leat_scope_calloc(at.scope, r->places, sizeof *r->since);
	r->alive = st->workers + 1;
	r->numbers = leat_scope_chan(at.scope, sizeof r->next, r->places);
	leat__stage_take(st, 0, in, in_bytes);
	leat__stage_give(st, 0, out_bytes, at.cap);
	leat__monitor_stage(st); /* before the reader receives */
	leat__scope_go_from(at.scope, leat__read, &st, sizeof st, st->created_at);
	return leat__stage_start(st);
}
