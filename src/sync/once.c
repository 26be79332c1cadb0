/* SPDX-License-Identifier: MIT */
/*
 * Once: a byte that says how far it has come, and a queue of those who wait for who runs the function.
 *
 * Invariants (the lock)
 *  - state only grows.  Who changed it from NEW to RUNNING runs the function, outside the runtime, and has
 *    a record on his list by which every way out leads to DONE.
 *  - The queue is empty but while it is RUNNING; who makes it DONE readies all.
 *
 * Ordering: DONE is stored with release, last, and read with acquire by who finds it without the lock.
 * Those who were queued are ordered behind it by the lock and the ready.
 *
 * A state of its own rather than a mutex that is held while the function runs (Go): who waits then waits
 * once, all are readied together instead of one by the other, and a report can say what for.
 *
 * What a panic was of is looked up by a record too, on its way out: it is raised once, where it came from,
 * with the trace of that place, and not caught and raised again.
 */
#define LEAT__NO_INLINE

#include "ctx/wait.h"
#include "sched/panic.h"

#include <leat/once.h>

enum { NEW, RUNNING, DONE = LEAT__ONCE_DONE };

static inline bool is_done(leat_once *o)
{
	if (__atomic_load_n(&o->leat__state, __ATOMIC_ACQUIRE) != DONE)
		return false;
	leat__hb_acquire(o);
	return true;
}

/* --- running it */

/* By the record. */
static void leat__once_done(void *once)
{
	struct leat__waiter *w, *woken = NULL, **link = &woken;
	leat_once *o = once;
	struct leat__m *m;

	leat__hb_release(o);
	m = leat__enter();
	leat__lock(&o->leat__lock);
	while ((w = leat__waiters_take(&o->leat__queue))) {
		*link = w;
		link = &w->next;
	}
	*link = NULL;
	__atomic_store_n(&o->leat__state, DONE, __ATOMIC_RELEASE);
	leat__unlock(&o->leat__lock);
	while ((w = woken)) {
		woken = w->next; /* w is on the stack of who is readied */
		leat__ready(m, w->g, false);
	}
	leat__leave(m);
}

static void leat__once_run(leat_once *o, void (*fn)(void *), void *arg)
{
	leat__record r = {.fn = leat__once_done, .arg = o};

	leat__record_push(&r);
	fn(arg);
	leat__record_leave(&r);
}

/* --- waiting for who does */

/* 0 when it is DONE, RUNNING when the caller is to run it, or why ctx is done. */
static int leat__once_wait(leat_once *o, leat_ctx *ctx)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter w;
	int r = 0;

	leat__lock(&o->leat__lock);
	switch (o->leat__state) {
	case NEW:
		__atomic_store_n(&o->leat__state, RUNNING, __ATOMIC_RELAXED);
		r = RUNNING;
		/* fall through */
	case DONE:
		leat__unlock(&o->leat__lock);
		break;
	default:
		leat__queue(m, &o->leat__queue, &w, ctx, LEAT__WAIT_ONCE);
		leat__unlock(&o->leat__lock);
		m = leat__await_ctx(m, ctx, &r);
		if (r) {
			leat__lock(&o->leat__lock);
			leat__unqueue(&o->leat__queue, &w);
			leat__unlock(&o->leat__lock);
		}
	}
	leat__leave(m);
	return r;
}

static NOINLINE int leat__once_slow(leat_once *o, void (*fn)(void *), void *arg, leat_ctx *ctx)
{
	int r = leat__ctx_begin_wait(ctx);

	if (r)
		return r;
	r = leat__once_wait(o, ctx);
	leat__ctx_end_wait(ctx);
	if (r == RUNNING) {
		leat__once_run(o, fn, arg);
		return 0;
	}
	if (r == 0)
		leat__hb_acquire(o);
	return r;
}

/* Where the header looks whether it is done, it calls the second. */
void leat_once_do(leat_once *once, void (*fn)(void *), void *arg)
{
	if (unlikely(!is_done(once)))
		leat__once_slow(once, fn, arg, NULL);
}

LEAT_API void leat__once_do(leat_once *once, void (*fn)(void *), void *arg);

void leat__once_do(leat_once *once, void (*fn)(void *), void *arg)
{
	leat__once_slow(once, fn, arg, NULL);
}

int leat_once_do_ctx(leat_once *once, void (*fn)(void *), void *arg, leat_any_ctx ctx)
{
	int err = leat_ctx_err(ctx);

	if (unlikely(err))
		return err;
	if (likely(is_done(once)))
		return 0;
	return leat__once_slow(once, fn, arg, ctx.leat__ctx);
}

/* --- OnceFunc and OnceValue */

/* The function of c is running, on the stack of who called it. */
struct running {
	leat__once_call *call;
	const struct leat__panic
	    *before; /* the caller's newest panic, if this is a function it deferred */
	bool returned;
};

/* By a record: how did it end?  A panic that is under way is the newest; a goexit has dropped them all. */
static void note_end(void *arg)
{
	const struct running *r = arg;
	const struct leat__panic *p = leat__current()->panics;

	if (r->returned || !p || p == r->before)
		return;
	r->call->leat__panicked = true;
	r->call->leat__panic = p->info;
}

static void leat__once_call_func(void *arg)
{
	leat_once_func *f = arg;
	struct running r = {.call = &f->leat__call, .before = leat__current()->panics};
	leat__record record = {.fn = note_end, .arg = &r};

	leat__record_push(&record);
	f->leat__fn(f->leat__arg);
	r.returned = true;
	leat__record_leave(&record);
}

static void leat__once_call_value(void *arg)
{
	leat_once_value *v = arg;
	struct running r = {.call = &v->leat__call, .before = leat__current()->panics};
	leat__record record = {.fn = note_end, .arg = &r};

	leat__record_push(&record);
	v->leat__value = v->leat__fn(v->leat__arg);
	r.returned = true;
	leat__record_leave(&record);
}

/* It is done.  If it panicked, do so again. */
static inline void leat__once_again(const leat__once_call *c)
{
	if (unlikely(c->leat__panicked))
		leat_repanic(&c->leat__panic);
}

void leat_once_func_call(leat_once_func *f)
{
	leat_once_do(&f->leat__call.leat__once, leat__once_call_func, f);
	leat__once_again(&f->leat__call);
}

int leat_once_func_call_ctx(leat_once_func *f, leat_any_ctx ctx)
{
	int err = leat_once_do_ctx(&f->leat__call.leat__once, leat__once_call_func, f, ctx);

	if (!err)
		leat__once_again(&f->leat__call);
	return err;
}

void *leat_once_value_get(leat_once_value *v)
{
	leat_once_do(&v->leat__call.leat__once, leat__once_call_value, v);
	leat__once_again(&v->leat__call);
	return v->leat__value;
}

int leat_once_value_get_ctx(leat_once_value *v, void **value, leat_any_ctx ctx)
{
	int err = leat_once_do_ctx(&v->leat__call.leat__once, leat__once_call_value, v, ctx);

	if (err)
		return err;
	leat__once_again(&v->leat__call);
	*value = v->leat__value;
	return 0;
}
