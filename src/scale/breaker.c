/* SPDX-License-Identifier: MIT */
/*
 * Circuit breaker: counts in a ring of slots of time, and three states.
 *
 * Invariants (the mutex)
 *  - calls and failures are the sums over the slots, of which the newest is of the time newest; all are of the present
 *    generation, and there are none but in the closed state.
 *  - generation grows with each change of the state.  A call's result counts only while it is what it was when the call
 *    began.
 *  - probing counts the probes under way, of whatever generation; succeeded, those of the present one.
 *
 * The program's functions are called without the mutex; so of two changes the second may be told of first.
 */
#include "sched/panic.h"
#include "sched/scheduler.h"

#include <leat/breaker.h>
#include <leat/defer.h>
#include <leat/time.h>

#include <errno.h>

#define WINDOW_NS (10 * LEAT_SECOND)
#define VOLUME    20
#define RATIO     0.5
#define OPEN_NS   LEAT_SECOND
#define OPEN_MOST (60 * LEAT_SECOND)

static int64_t slot_ns(const leat_breaker *b)
{
	int64_t ns = (b->opts.window_ns ? b->opts.window_ns : WINDOW_NS) / LEAT__BREAKER_SLOTS;

	return ns > 0 ? ns : 1;
}

static uint32_t probes(const leat_breaker *b)
{
	return b->opts.probes ? b->opts.probes : 1;
}

static leat_backoff backoff(const leat_breaker_opts *opts)
{
	leat_backoff o = opts->open;

	if (!o.first_ns)
		o.first_ns = OPEN_NS;
	if (!o.max_ns)
		o.max_ns = OPEN_MOST;
	if (o.jitter == LEAT_JITTER_FULL)
		o.jitter = LEAT_JITTER_EQUAL;
	leat_backoff_reset(&o);
	return o;
}

void leat_breaker_init(leat_breaker *b, const leat_breaker_opts *opts)
{
	leat_backoff try = backoff(opts);

	if (opts->window_ns < 0 || !(opts->ratio >= 0 && opts->ratio <= 1))
		leat__panic_runtime("breaker: bad options");
	(void)leat_backoff_next(&try);
	*b = (leat_breaker){.opts = *opts};
}

/* --- with the mutex */

static void forget(leat_breaker *b)
{
	for (int i = 0; i < LEAT__BREAKER_SLOTS; i++)
		b->leat__slots[i] = (struct leat__breaker_slot){0};
	b->leat__calls = b->leat__failures = 0;
}

/* Drop what is older than the window. */
static void advance(leat_breaker *b, int64_t now)
{
	int64_t slot = now / slot_ns(b);

	if (slot - b->leat__newest >= LEAT__BREAKER_SLOTS)
		forget(b);
	else
		for (int64_t s = b->leat__newest + 1; s <= slot; s++) {
			struct leat__breaker_slot *old = &b->leat__slots[s % LEAT__BREAKER_SLOTS];

			b->leat__calls -= old->calls;
			b->leat__failures -= old->failures;
			*old = (struct leat__breaker_slot){0};
		}
	if (slot > b->leat__newest)
		b->leat__newest = slot;
}

static void change(leat_breaker *b, leat_breaker_state to, int64_t now, leat_breaker_change *c)
{
	int64_t open_ns = 0;

	forget(b);
	b->leat__succeeded = 0;
	if (to == LEAT_BREAKER_CLOSED || b->leat__state == LEAT_BREAKER_CLOSED)
		b->leat__backoff = backoff(&b->opts);
	if (to == LEAT_BREAKER_OPEN) {
		open_ns = leat_backoff_next(&b->leat__backoff);
		if (__builtin_add_overflow(now, open_ns, &b->leat__until))
			b->leat__until = INT64_MAX;
	}
	b->leat__generation++;
	*c = (leat_breaker_change){b->leat__state, to, b->leat__generation, open_ns};
	b->leat__state = to;
}

static void count(leat_breaker *b, bool failed, int64_t now, leat_breaker_change *c)
{
	struct leat__breaker_slot *slot;
	double ratio = b->opts.ratio > 0 ? b->opts.ratio : RATIO;
	uint32_t volume = b->opts.volume ? b->opts.volume : VOLUME;

	advance(b, now);
	slot = &b->leat__slots[b->leat__newest % LEAT__BREAKER_SLOTS];
	slot->calls++;
	slot->failures += failed;
	b->leat__calls++;
	b->leat__failures += failed;
	if (b->leat__calls >= volume && b->leat__failures >= ratio * b->leat__calls)
		change(b, LEAT_BREAKER_OPEN, now, c);
}

/* Let a call pass, or not. */
static bool pass(leat_breaker *b, leat_breaker_ticket *t, int64_t now, leat_breaker_change *c)
{
	if (b->leat__state == LEAT_BREAKER_OPEN && now >= b->leat__until)
		change(b, LEAT_BREAKER_HALF_OPEN, now, c);
	if (b->leat__state == LEAT_BREAKER_OPEN ||
	    (b->leat__state == LEAT_BREAKER_HALF_OPEN && b->leat__probing >= probes(b))) {
		b->leat__refused++;
		return false;
	}
	t->leat__generation = b->leat__generation;
	t->leat__probe = b->leat__state == LEAT_BREAKER_HALF_OPEN;
	b->leat__probing += t->leat__probe;
	return true;
}

static void end(leat_breaker *b, leat_breaker_ticket t, leat_breaker_outcome o, int64_t now,
                leat_breaker_change *c)
{
	bool failed = o == LEAT_BREAKER_FAILURE;

	b->leat__probing -= t.leat__probe;
	if (o == LEAT_BREAKER_IGNORE || t.leat__generation != b->leat__generation)
		return;
	if (!t.leat__probe)
		count(b, failed, now, c);
	else if (failed)
		change(b, LEAT_BREAKER_OPEN, now, c);
	else if (++b->leat__succeeded >= probes(b))
		change(b, LEAT_BREAKER_CLOSED, now, c);
}

/* --- */

static void leat__breaker_tell(leat_breaker *b, const leat_breaker_change *c)
{
	if (c->generation && b->opts.changed)
		b->opts.changed(c, b->opts.arg);
}

/* A call that begins, and with which the breaker changed. */
struct begun {
	leat_breaker *b;
	leat_breaker_ticket ticket;
	bool told;
};

static void leat__breaker_begun_ends(void *arg)
{
	const struct begun *begun = arg;

	if (!begun->told)
		leat_breaker_end(begun->b, begun->ticket, LEAT_BREAKER_IGNORE);
}

/* Where the program does not take it well there is no call, and nobody who would end it. */
static void leat__breaker_tell_begun(leat_breaker *b, const leat_breaker_change *c,
                                     leat_breaker_ticket t)
{
	struct begun begun = {.b = b, .ticket = t};

	LEAT_DEFER(leat__breaker_begun_ends, &begun);
	leat__breaker_tell(b, c);
	begun.told = true;
}

int leat_breaker_begin(leat_breaker *b, leat_breaker_ticket *t)
{
	leat_breaker_change c = {0};
	int64_t now = leat_now();
	bool passes;

	{
		LEAT_WITH_LOCK(&b->leat__mutex); /* which bad options make panic */
		passes = pass(b, t, now, &c);
	}
	if (!passes)
		leat__breaker_tell(b, &c);
	else if (c.generation)
		leat__breaker_tell_begun(b, &c, *t);
	return passes ? 0 : -EHOSTDOWN;
}

void leat_breaker_end(leat_breaker *b, leat_breaker_ticket t, leat_breaker_outcome o)
{
	leat_breaker_change c = {0};
	int64_t now = leat_now();

	{
		LEAT_WITH_LOCK(&b->leat__mutex);
		end(b, t, o, now, &c);
	}
	leat__breaker_tell(b, &c);
}

void leat_breaker_reset(leat_breaker *b)
{
	leat_breaker_change c = {0};

	{
		LEAT_WITH_LOCK(&b->leat__mutex);
		change(b, LEAT_BREAKER_CLOSED, 0, &c);
	}
	if (c.from != LEAT_BREAKER_CLOSED)
		leat__breaker_tell(b, &c);
}

leat_breaker_stats leat_breaker_get_stats(leat_breaker *b)
{
	leat_breaker_stats s = {0};
	int64_t now = leat_now();

	leat_mutex_lock(&b->leat__mutex);
	advance(b, now);
	s.state = b->leat__state;
	s.generation = b->leat__generation;
	s.refused = b->leat__refused;
	s.calls = b->leat__calls;
	s.failures = b->leat__failures;
	s.probing = b->leat__probing;
	if (s.state == LEAT_BREAKER_OPEN && b->leat__until > now)
		s.open_ns = b->leat__until - now;
	leat_mutex_unlock(&b->leat__mutex);
	return s;
}

/* --- a call from its beginning to its end */

struct call {
	leat_breaker *b;
	leat_breaker_ticket ticket;
	leat_any_ctx ctx;
	bool returned;
	int err;
	leat_breaker_outcome outcome;
};

static leat_breaker_outcome leat__breaker_judge(const leat_breaker *b, int err)
{
	if (b->opts.judge)
		return b->opts.judge(err, b->opts.arg);
	return err == 0            ? LEAT_BREAKER_SUCCESS
	       : err == -ECANCELED ? LEAT_BREAKER_IGNORE
	                           : LEAT_BREAKER_FAILURE;
}

/* Whatever the judge does, the call ends after this. */
static void leat__breaker_call_judged(void *arg)
{
	struct call *c = arg;

	if (c->returned && (!c->err || leat_ctx_err(c->ctx) != -ECANCELED))
		c->outcome = leat__breaker_judge(c->b, c->err);
	else if (!c->returned && leat__current()->panics)
		c->outcome = LEAT_BREAKER_FAILURE;
}

static void leat__breaker_call_ends(void *arg)
{
	struct call *c = arg;

	leat_breaker_end(c->b, c->ticket, c->outcome);
}

int leat_breaker_call(leat_breaker *b, int (*fn)(void *), void *arg, leat_any_ctx ctx)
{
	struct call c = {.b = b, .ctx = ctx, .outcome = LEAT_BREAKER_IGNORE};
	int err = leat_ctx_err(ctx);

	if (!err)
		err = leat_breaker_begin(b, &c.ticket);
	if (err)
		return err;
	LEAT_DEFER(leat__breaker_call_ends, &c);
	LEAT_DEFER(leat__breaker_call_judged, &c);
	err = fn(arg);
	c.err = err;
	c.returned = true;
	return err;
}
