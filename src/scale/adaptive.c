/* SPDX-License-Identifier: MIT */
/*
 * Adaptive limit of concurrency: a count of calls under way, a queue of those who wait, and an algorithm
 * (adaptive_limit.c) that says how many may be.
 *
 * Invariants (the lock)
 *  - While somebody waits who can be served there are as many calls under way as may be, or more, where the limit has
 *    come down since.
 *  - under_way counts those who were let in but do not run yet; waiting, those in the queue and those whose context took
 *    them off it but who do not know yet.
 *
 * Lock order: beside a channel's; nothing is taken under it.
 */
#include "ctx/wait.h"
#include "sched/panic.h"

#include <leat/adaptive.h>
#include <leat/time.h>

#include <errno.h>

void leat_adaptive_init(leat_adaptive *a, const leat_adaptive_opts *opts)
{
	leat_adaptive_limit l = {.opts = *opts};
	bool crossed =
	    (opts->most && opts->least > opts->most) ||
	    (opts->first && (opts->first < opts->least || (opts->most && opts->first > opts->most)));

	if (crossed || !(opts->decrease >= 0 && opts->decrease < 1) || opts->window_ns < 0)
		leat__panic_runtime("adaptive: bad options");
	*a = (leat_adaptive){.leat__limit = l};
}

/* As long as there may be more: those to be readied after the unlock. */
static void let_in(leat_adaptive *a, struct leat__waiters *in)
{
	struct leat__waiter *w;

	while (a->leat__under_way < leat_adaptive_limit_get(&a->leat__limit) &&
	       (w = leat__waiters_take(&a->leat__queue))) {
		a->leat__under_way++;
		a->leat__waiting--;
		leat__waiters_add(in, w);
	}
}

static void wake(struct leat__m *m, struct leat__waiters *in)
{
	struct leat__waiter *w;

	while ((w = in->first)) {
		leat__waiters_remove(in, w); /* on the sleeper's stack, gone once it runs */
		leat__ready(m, w->g, false);
	}
}

/* Locked until it has parked. */
static int leat__adaptive_wait(struct leat__m *m, leat_adaptive *a, leat_ctx *ctx)
{
	struct leat__waiter w;
	int err;

	a->leat__waiting++;
	leat__queue(m, &a->leat__queue, &w, ctx, LEAT__WAIT_SEMAPHORE);
	leat__unlock(&a->leat__lock);
	m = leat__await_ctx(m, ctx, &err);
	if (err) {
		leat__lock(&a->leat__lock);
		leat__unqueue(&a->leat__queue, &w);
		a->leat__waiting--;
		leat__unlock(&a->leat__lock);
	}
	leat__leave(m);
	return err;
}

/* With a context that is being watched, if need be. */
static int leat__adaptive_acquire(leat_adaptive *a, leat_ctx *ctx, bool wait)
{
	struct leat__m *m = leat__enter();
	int err = 0;

	leat__lock(&a->leat__lock);
	if (a->leat__under_way < leat_adaptive_limit_get(&a->leat__limit)) {
		a->leat__under_way++;
	} else if (wait && a->leat__waiting < a->leat__limit.opts.queue) {
		return leat__adaptive_wait(m, a, ctx);
	} else {
		a->leat__refused++;
		err = -EAGAIN;
	}
	leat__unlock(&a->leat__lock);
	leat__leave(m);
	return err;
}

int leat_adaptive_acquire_ctx(leat_adaptive *a, leat_adaptive_ticket *t, leat_any_ctx ctx)
{
	int err = leat__ctx_begin_wait(ctx.leat__ctx);

	if (err)
		return err;
	err = leat__adaptive_acquire(a, ctx.leat__ctx, true);
	leat__ctx_end_wait(ctx.leat__ctx);
	if (!err)
		t->leat__begun = leat_now();
	return err;
}

int leat_adaptive_try_acquire(leat_adaptive *a, leat_adaptive_ticket *t)
{
	int err = leat__adaptive_acquire(a, NULL, false);

	if (!err)
		t->leat__begun = leat_now();
	return err;
}

void leat_adaptive_release(leat_adaptive *a, leat_adaptive_ticket t, leat_adaptive_outcome o)
{
	struct leat__waiters in = {0};
	int64_t now = leat_now();
	struct leat__m *m = leat__enter();
	uint32_t under_way;

	leat__lock(&a->leat__lock);
	under_way = a->leat__under_way;
	if (under_way) {
		leat_adaptive_limit_sample(&a->leat__limit, t.leat__begun, now, under_way, o);
		a->leat__under_way--;
		let_in(a, &in);
	}
	leat__unlock(&a->leat__lock);
	wake(m, &in);
	leat__leave(m);
	if (!under_way)
		leat__panic_runtime("adaptive: released more than acquired");
}

leat_adaptive_stats leat_adaptive_get_stats(leat_adaptive *a)
{
	struct leat__m *m = leat__enter();
	leat_adaptive_stats s;

	leat__lock(&a->leat__lock);
	s = (leat_adaptive_stats){.limit = leat_adaptive_limit_get(&a->leat__limit),
	                          .under_way = a->leat__under_way,
	                          .waiting = a->leat__waiting,
	                          .refused = a->leat__refused,
	                          .least_ns = leat_adaptive_limit_least_ns(&a->leat__limit)};
	leat__unlock(&a->leat__lock);
	leat__leave(m);
	return s;
}
