/* SPDX-License-Identifier: MIT */
/*
 * Deadlines of contexts: a timer that cancels its context.
 *
 * A deadline is made anew for each instant that a context is given, and armed before the one before it is
 * stopped: so nothing is lost where memory is out.
 *
 * Invariants (the lock of all deadlines)
 *  - An armed deadline is its context's leat__timer, so that the context's end stops it: on return of
 *    leat__timer_stop it does not run and will not.
 *  - A context that is done has none, once the cancel that ended it has returned.  Those that a timer ended
 *    keep theirs until they are freed: they may not be stopped under the timers' lock, and are due anyway.
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
	const leat_error *cause;
	struct deadline *next;
};

static uint8_t deadlines; /* lock: leat__timer and leat__at of every context that others know */

static void deadline_passed(struct leat__m *m, struct leat__timer *t)
{
	struct deadline *d = container_of(t, struct deadline, timer);

	leat__ctx_cancel(m, d->ctx, -ETIMEDOUT, d->cause);
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

/* Arm *spare, or do without.  Leaves in *spare what is to be freed.  0 or -ENOMEM.  Locked. */
static int arm(leat_ctx *c, int64_t at_ns, struct deadline **spare)
{
	struct deadline *old = c->leat__timer, *d = *spare;
	int err;

	if (old && old->timer.when <= at_ns)
		return 0;
	if (!d)
		return -ENOMEM;
	err = leat__timer_add(&d->timer);
	if (err)
		return err;
	shorten(c, at_ns);
	if (old)
		leat__timer_stop(&old->timer);
	*spare = old;
	__atomic_store_n(&c->leat__timer, d, __ATOMIC_RELEASE);
	if (is_done(c)) {
		leat__timer_stop(&d->timer);
		__atomic_store_n(&c->leat__timer, NULL, __ATOMIC_RELEASE);
		d->next = old;
		*spare = d;
	}
	return 0;
}

static void free_all(struct deadline *d)
{
	while (d) {
		struct deadline *next = d->next;

		free(d);
		d = next;
	}
}

void leat__ctx_set_deadline(leat_ctx *c, int64_t at_ns, const leat_error *cause)
{
	struct deadline *d = NULL;
	struct leat__m *m;
	bool past;
	int err = 0;

	if (at_ns > LEAT__CTX_LAST)
		at_ns = LEAT__CTX_LAST;
	past = at_ns <= leat__clock();
	if (!past)
		d = malloc(sizeof *d);
	if (d)
		*d = (struct deadline){
		    .timer = {.fire = deadline_passed, .when = at_ns}, .ctx = c, .cause = cause};
	m = leat__enter();
	if (!leat__ctx_err(c)) {
		leat__lock(&deadlines);
		if (past)
			shorten(c, at_ns);
		else
			err = arm(c, at_ns, &d);
		leat__unlock(&deadlines);
		if (past)
			leat__ctx_cancel(m, c, -ETIMEDOUT, cause);
	}
	leat__leave(m);
	free_all(d);
	if (err)
		leat__panic_runtime("out of memory");
}

void leat__ctx_stop_timer(leat_ctx *c)
{
	struct leat__m *m;
	struct deadline *d;

	/* Acquire: who stopped it has done so, and lets go of the context. */
	if (!__atomic_load_n(&c->leat__timer, __ATOMIC_ACQUIRE))
		return;
	m = leat__enter();
	leat__lock(&deadlines);
	d = c->leat__timer;
	if (d) {
		leat__timer_stop(&d->timer);
		c->leat__timer = NULL;
	}
	leat__unlock(&deadlines);
	leat__leave(m);
	free(d);
}

void leat__ctx_stop_timers(leat_ctx *top)
{
	struct leat__m *m = leat__enter();
	struct deadline *all = NULL;

	leat__lock(&deadlines);
	/* The timers' lock comes before the tree's, so first look, then stop.  No context with a deadline ends
	   in between, since its end would have to stop it. */
	leat__lock(&top->leat__root->leat__lock);
	for (leat_ctx *c = top; c; c = leat__ctx_walk(c, top, true)) {
		struct deadline *d = c->leat__timer;

		if (d) {
			d->next = all;
			all = d;
		}
	}
	leat__unlock(&top->leat__root->leat__lock);
	for (struct deadline *d = all; d; d = d->next) {
		leat__timer_stop(&d->timer);
		__atomic_store_n(&d->ctx->leat__timer, NULL, __ATOMIC_RELEASE);
	}
	leat__unlock(&deadlines);
	leat__leave(m);
	free_all(all);
}
