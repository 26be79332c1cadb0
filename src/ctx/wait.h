/* SPDX-License-Identifier: MIT */
/*
 * Waits that a context may end.
 *
 * The recipe, for a primitive whose queue is a leat__waiters under a lock of its own:
 *
 *	if ((err = leat_ctx_err(ctx)))          a done context gets nothing, even if it could have it at once
 *		return err;
 *	m = leat__enter();
 *	lock
 *	if (it may go on at once) { take it; unlock; leave; return 0; }
 *	leat__queue(m, &queue, &w, ctx.leat__ctx, LEAT__WAIT_...);
 *	unlock
 *	m = leat__await_ctx(m, ctx.leat__ctx, &err);
 *	if (err) {
 *		lock
 *		leat__unqueue(&queue, &w);      what others wait for on w's account is to be put right here
 *		unlock
 *	}
 *	leat__leave(m);
 *	return err;
 *
 * Who grants takes the waiter with leat__waiters_take(&queue), which passes over those whose context came
 * first, does whatever the grant is, unlocks, and calls leat__ready(m, w->g, soon).  So a wait is either granted
 * or cancelled, never both: w's goroutine has its claim armed, and both sides must fire it.
 *
 * Custom contexts must be watched meanwhile: leat__ctx_depend and _undepend around it, out of the runtime
 * (leat__ctx_begin_wait, leat__ctx_end_wait).
 */
#ifndef LEAT_CTX_WAIT_H
#define LEAT_CTX_WAIT_H

#include "ctx/ctx.h"

/* Before and after all of it, out of the runtime.  Begin returns why ctx (NULL: no context) is done, or 0; then
   end is due. */
static inline int leat__ctx_begin_wait(leat_ctx *ctx)
{
	int err = leat_ctx_err((leat_any_ctx)ctx);

	if (likely(!err) && ctx && ctx->leat__source)
		leat__ctx_depend(ctx->leat__source);
	return err;
}

static inline void leat__ctx_end_wait(leat_ctx *ctx)
{
	if (ctx && ctx->leat__source)
		leat__ctx_undepend(ctx->leat__source);
}

/* The caller will put w into a queue, which is locked; then unlock, and leat__await_ctx.  Where ctx may end the
   wait, w can be taken only by who fires the claim. */
static inline void leat__queue_as(struct leat__m *m, struct leat__waiter *w, const leat_ctx *ctx,
                                  enum leat__wait why)
{
	struct leat__g *me = m->g;

	*w = (struct leat__waiter){.g = me};
	leat__park_as(me, why);
	if (ctx && ctx->leat__source) {
		w->special = LEAT__SELECTING;
		store_relaxed(&me->claim, LEAT__ARMED); /* ordered before others see it by the lock */
	}
	me->fired = w;
}

static inline void leat__queue(struct leat__m *m, struct leat__waiters *q, struct leat__waiter *w,
                               const leat_ctx *ctx, enum leat__wait why)
{
	leat__queue_as(m, w, ctx, why);
	leat__waiters_add(q, w);
}

/* Off the queue, which is locked, if it is still there. */
static inline void leat__unqueue(struct leat__waiters *q, struct leat__waiter *w)
{
	if (w->queued)
		leat__waiters_remove(q, w);
}

/* Park until w was taken and readied (*err = 0), or until ctx, as for leat__queue, is done (*err says why). */
struct leat__m *leat__await_ctx(struct leat__m *m, leat_ctx *ctx, int *err);

#endif
