/* SPDX-License-Identifier: MIT */
/*
 * A sleep that a context may end.
 *
 * The timer and the context's end both fire the goroutine's claim, and the one who does readies it, as in any
 * wait that a context may end (ctx/wait.c).  Whom the context woke stops the timer before it goes on: then that
 * does not run, and will not, and its place on the stack can go.
 */
#include "ctx/wait.h"

#include "sched/panic.h"
#include "sched/timer.h"

#include <leat/time.h>

#include <errno.h>

struct sleeper {
	struct leat__timer timer;
	struct leat__waiter waiter; /* in no queue: what fired tells whether it was the timer */
};

static void sleep_over(struct leat__m *m, struct leat__timer *t)
{
	struct sleeper *s = container_of(t, struct sleeper, timer);
	uint32_t armed = LEAT__ARMED;

	if (cas_acq_rel(&s->waiter.g->claim, &armed, LEAT__FIRED)) {
		s->waiter.g->fired = &s->waiter;
		leat__ready_due(m, s->waiter.g);
	}
}

/* ctx can be done.  Never both: -ENOMEM comes before anything can have fired. */
static int leat__sleep_until_done(int64_t duration_ns, leat_ctx *ctx)
{
	struct sleeper s = {.timer.fire = sleep_over};
	struct leat__waiters nobody = {0};
	struct leat__m *m = leat__enter();
	int err;

	s.timer.when = leat__deadline(duration_ns);
	leat__queue(m, &nobody, &s.waiter, ctx, LEAT__WAIT_SLEEP);
	err = leat__timer_add(&s.timer);
	if (unlikely(err)) {
		store_relaxed(&m->g->claim, LEAT__UNARMED);
		leat__park_as(m->g, LEAT__RUNNABLE);
		leat__leave(m);
		return err;
	}
	m = leat__await_ctx(m, ctx, &err);
	if (err)
		leat__timer_stop(&s.timer);
	leat__leave(m);
	return err;
}

int leat_sleep_ctx(int64_t duration_ns, leat_any_ctx ctx)
{
	leat_ctx *x = ctx.leat__ctx;
	int err;

	if (!x || !x->leat__source) {
		leat_sleep(duration_ns);
		return 0;
	}
	err = leat__ctx_begin_wait(x);
	if (err)
		return err;
	if (duration_ns > 0)
		err = leat__sleep_until_done(duration_ns, x);
	leat__ctx_end_wait(x);
	if (unlikely(err == -ENOMEM))
		leat__panic_runtime("out of memory");
	return err;
}
