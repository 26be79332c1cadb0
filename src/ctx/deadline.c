/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of contexts: a timer that cancels its context.
 *
 * A context that is given one deadline after another (scopes can be) has two in turns: the new one is armed
 * before the old one is stopped, so nothing is lost where memory is out.  Both are freed with the context, by
 * whoever ends that: under the thread sanitizer nobody else is ordered after their making.
 *
 * Invariants (the lock of all deadlines)
 *  - An armed deadline is its context's leat__timer, so that the context's end stops it: on return of
 *    leat__timer_stop it does not run and will not.
 *  - leat__armed is set while it may be armed.  It is not for a context that is done, once the cancel that
 *    ended it has returned.  Those that a timer ended keep theirs: they may not be stopped under the timers'
 *    lock, and are due anyway.
 *
 * A cancel must not miss a deadline that is armed meanwhile.  Who arms looks afterwards, under the tree's lock,
 * whether the context is done; the cancel marks it done under that lock, and looks for a deadline.  So the
 * one who comes second sees what the first has done.
 *
 * Lock order: the deadlines', the timers', a tree's.
 */
#include "ctx/ctx.h"

#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/timer.h"

#include <errno.h>
#include <stdlib.h>

struct deadline {
	struct leat__timer timer;
	leat_ctx *ctx;
	const leat_error *cause;  /* held */
	struct deadline *other;   /* that the context had before, not armed, or NULL */
	struct deadline *stopped; /* the next of those that a cancel stops */
};

static uint8_t deadlines; /* lock: leat__timer, leat__armed and leat__at of all contexts */

static void deadline_passed(struct leat__m *m, struct leat__timer *t)
{
	struct deadline *d = container_of(t, struct deadline, timer);
	struct leat__san_nobody nobody;

	/* On behalf of who set it, in the time of anybody. */
	leat__san_nobody_begin(&nobody);
	leat__hb_acquire(d);
	leat__ctx_cancel(m, d->ctx, -ETIMEDOUT, d->cause);
	leat__san_nobody_end(&nobody);
}

static bool is_done(const leat_ctx *c)
{
	uint8_t *lock = &c->leat__root->leat__lock;
	bool done;

	leat__lock(lock);
	done = c->leat__err != 0;
	leat__unlock(lock);
	return done;
}

static void shorten(leat_ctx *c, int64_t at_ns)
{
	if (at_ns < c->leat__at)
		__atomic_store_n(&c->leat__at, at_ns, __ATOMIC_RELAXED);
}

static void set_armed(leat_ctx *c, bool armed)
{
	__atomic_store_n(&c->leat__armed, armed, __ATOMIC_RELAXED);
}

/* Stop those of top and below it that are due at_ns or later, but for kept.  The lock of deadlines is held. */
static void stop_below(leat_ctx *top, int64_t at_ns, const struct deadline *kept)
{
	struct deadline *all = NULL;

	/* The timers' lock comes before the tree's, so first look, then stop.  No context with a deadline ends
	   in between: that takes the lock of deadlines. */
	leat__lock(&top->leat__root->leat__lock);
	for (leat_ctx *c = top; c; c = leat__ctx_walk(c, top, true)) {
		struct deadline *d = c->leat__timer;

		if (d && d != kept && c->leat__armed && d->timer.when >= at_ns) {
			d->stopped = all;
			all = d;
		}
	}
	leat__unlock(&top->leat__root->leat__lock);
	for (struct deadline *d = all; d; d = d->stopped) {
		leat__timer_stop(&d->timer);
		set_armed(d->ctx, false);
	}
}

/* Arm *spare, or what c has from before; what is not used stays in *spare, the hold on a cause that it had before
   goes to *unheld.  0 or -ENOMEM.  Locked. */
static int arm(leat_ctx *c, int64_t at_ns, const leat_error *cause, struct deadline **spare,
               const leat_error **unheld)
{
	struct deadline *old = c->leat__timer, *d = old && old->other ? old->other : *spare;
	int err;

	if (old && old->timer.when <= at_ns)
		return 0;
	if (!d)
		return -ENOMEM;
	*unheld = d->cause;
	*d = (struct deadline){.timer = {.fire = deadline_passed, .when = at_ns},
	                       .ctx = c,
	                       .cause = leat_error_retain(cause)};
	leat__hb_release_new(d);
	err = leat__timer_add(&d->timer);
	if (err)
		return err;
	shorten(c, at_ns);
	if (d == *spare)
		*spare = NULL;
	if (old) {
		leat__timer_stop(&old->timer);
		old->other = NULL;
		d->other = old;
	}
	c->leat__timer = d;
	set_armed(c, true);
	stop_below(c, at_ns, d); /* they come too late to end anything, and would hide a deadlock */
	if (is_done(c)) {
		leat__timer_stop(&d->timer);
		set_armed(c, false);
	}
	return 0;
}

static void free_deadline(struct deadline *d)
{
	if (!d)
		return;
	leat_error_free(d->cause);
	free(d);
}

void leat__ctx_set_deadline(leat_ctx *c, int64_t at_ns, const leat_error *cause)
{
	const leat_error *unheld = NULL;
	struct deadline *d = NULL;
	struct leat__m *m;
	bool past, timers = false, done;
	int err = 0;

	if (at_ns > LEAT__CTX_LAST)
		at_ns = LEAT__CTX_LAST;
	past = at_ns <= leat__clock();
	if (!past)
		d = calloc(1, sizeof *d);
	m = leat__enter();
	done = leat__ctx_err(c);
	leat__lock(&deadlines);
	if (past || done)
		shorten(c, at_ns); /* it has that deadline, though it may be over without */
	else
		err = arm(c, at_ns, cause, &d, &unheld);
	leat__unlock(&deadlines);
	if (past && !done)
		timers = leat__ctx_cancel(m, c, -ETIMEDOUT, cause);
	leat__leave(m);
	if (timers)
		leat__ctx_stop_timers(c);
	free_deadline(d);
	leat_error_free(unheld);
	if (err)
		leat__panic_runtime("out of memory");
}

void leat__ctx_free_timer(leat_ctx *c)
{
	struct deadline *d = c->leat__timer;
	struct leat__m *m;

	if (!d)
		return;
	m = leat__enter();
	leat__lock(&deadlines); /* a cancel may be about to stop it */
	leat__timer_stop(&d->timer);
	set_armed(c, false);
	c->leat__timer = NULL;
	leat__unlock(&deadlines);
	leat__leave(m);
	free_deadline(d->other);
	free_deadline(d);
}

void leat__ctx_stop_timers_within(leat_ctx *top)
{
	leat__lock(&deadlines);
	stop_below(top, INT64_MIN, NULL);
	leat__unlock(&deadlines);
}

void leat__ctx_stop_timers(leat_ctx *top)
{
	struct leat__m *m = leat__enter();

	leat__ctx_stop_timers_within(top);
	leat__leave(m);
}
