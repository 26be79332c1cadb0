/* SPDX-License-Identifier: MIT */
/*
 * Send and receive until a context is done.
 *
 * The waiter is one of a select with a single case: who would serve it must fire the claim first, and so must
 * the context's end (ctx/wait.c).  So a value goes over, or the wait is cancelled, never both.  Who serves
 * it passes over the waiter of a wait that was cancelled, and takes it off the queue; else it takes itself off,
 * under the channel's lock.  Nobody else's turn depends on a waiter that leaves: a sender waits only while the buffer
 * is full, a receiver only while it is empty, and both stay so without it.
 *
 * Served, or told of the close, it touches the channel no more: whoever did that may free it.  A timed channel's
 * alarm it must touch, as any receiver does.
 */
#include "ctx/chan.h"

#include "chan/alarm.h"
#include "sched/panic.h"

#include <errno.h>

/* c is locked, and there is nothing but to wait. */
static int leat__await_either(struct leat__m *m, leat_chan *c, void *elem, enum leat__direction dir,
                              leat_ctx *ctx)
{
	struct leat__waiters *q = dir == LEAT__SENDS ? &c->senders : &c->receivers;
	struct leat__waiter w;
	int err;

	leat__queue(m, q, &w, ctx, dir == LEAT__SENDS ? LEAT__WAIT_SEND : LEAT__WAIT_RECV);
	w.elem = elem;
	w.timed = c->alarm != NULL;
	if (!m->p)
		w.special |= LEAT__NOT_PLAINLY;
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_waits(c, &w);
	leat__chan_unlock(m, c);
	if (w.timed)
		leat__alarm_await(m, c->alarm);
	m = leat__await_ctx(m, ctx, &err);
	if (err) {
		leat__chan_lock(m, c);
		leat__unqueue(q, &w);
		leat__chan_unlock(m, c);
	}
	if (w.timed)
		leat__alarm_unawait(c->alarm, !err);
	if (unlikely(leat__sanitizers & LEAT__TSAN))
		leat__san_waited(&w, !err);
	leat__leave(m);
	if (err)
		return err;
	return w.ok ? 0 : -EPIPE;
}

/* A channel that is NULL. */
static int leat__await_ctx_alone(struct leat__m *m, enum leat__direction dir, leat_ctx *ctx)
{
	struct leat__waiters nobody = {0};
	struct leat__waiter w;
	int err;

	leat__queue(m, &nobody, &w, ctx,
	            dir == LEAT__SENDS ? LEAT__WAIT_SEND_NIL : LEAT__WAIT_RECV_NIL);
	m = leat__await_ctx(m, ctx, &err);
	leat__leave(m);
	return err;
}

int leat__chan_do_ctx(struct leat__m *m, leat_chan *c, void *elem, enum leat__direction dir,
                      leat_ctx *ctx)
{
	enum leat__outcome outcome;

	if (unlikely(!c))
		return leat__await_ctx_alone(m, dir, ctx);
	leat__chan_lock(m, c);
	if (dir == LEAT__SENDS)
		outcome = leat__send_locked(m, c, elem, false);
	else
		outcome = leat__recv_locked(m, c, elem, false);
	if (outcome == LEAT__BLOCKS)
		return leat__await_either(m, c, elem, dir, ctx);
	if (outcome == LEAT__CLOSED && dir == LEAT__SENDS)
		leat__chan_unlock(m, c);
	leat__leave(m);
	return outcome == LEAT__DONE ? 0 : -EPIPE;
}

/* For a context that can be done. */
static int leat__chan_until_done(leat_chan *c, void *elem, enum leat__direction dir, leat_ctx *ctx)
{
	int err = leat_ctx_err((leat_any_ctx)ctx);
	bool ok = true;

	if (c)
		leat__chan_check(c); /* before a watch is set that a panic would leave */
	if (err)
		return err;
	/* A custom context is watched, by a goroutine perhaps, only where there is something to wait for. */
	if (unlikely(ctx->leat__source->leat__kind == LEAT__CTX_CUSTOM) &&
	    (dir == LEAT__SENDS ? leat_chan_try_send(c, elem) : leat_chan_try_recv(c, elem, &ok)))
		return ok ? 0 : -EPIPE;
	err = leat__ctx_begin_wait(ctx);
	if (err)
		return err;
	err = leat__chan_do_ctx(leat__enter(), c, elem, dir, ctx);
	leat__ctx_end_wait(ctx);
	return err;
}

int leat_chan_send_ctx(leat_chan *c, const void *elem, leat_any_ctx ctx)
{
	leat_ctx *x = ctx.leat__ctx;
	int err;

	if (!x || !x->leat__source) {
		leat_chan_send(c, elem);
		return 0;
	}
	err = leat__chan_until_done(c, (void *)(uintptr_t)elem, LEAT__SENDS, x);
	if (unlikely(err == -EPIPE))
		leat__panic_runtime("send on closed channel");
	return err;
}

int leat_chan_recv_ctx(leat_chan *c, void *elem, leat_any_ctx ctx)
{
	leat_ctx *x = ctx.leat__ctx;

	if (!x || !x->leat__source)
		return leat_chan_recv(c, elem) ? 0 : -EPIPE;
	return leat__chan_until_done(c, elem, LEAT__RECEIVES, x);
}
