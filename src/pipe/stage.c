/* SPDX-License-Identifier: MIT */
/*
 * Stages and pipes: making, running, cancelling and ending them.  See stage.h.
 *
 * Invariants
 *  - Each outlet is closed exactly once: by the pipe when the scope is done, or by the stage's last worker.
 *    leat__chan_close_with and leat_chan_try_close_with let one of them win.
 *  - A stage that is on its pipe's list when the scope becomes done has its outlets closed then.  One that comes
 *    later sees cancelled, under the same lock, and closes them itself.
 *  - The scope's end joins all stages before their memory goes.
 *
 * The watch that cancels runs under the lock of the context's tree, and takes the pipe's and the channels' in turn.
 * Nobody takes the former while holding one of the latter.
 *
 * Rejected: a wait by context for each value (leat_chan_send_ctx).  It puts each wait on the context's list of
 * watches, and takes that off again, under one lock for the whole scope.
 */
#include "pipe/stage.h"

#include "arch/sanitizer.h"
#include "pipe/meter.h"
#include "sched/panic.h"
#include "scope/scope.h"

#include <leat/defer.h>
#include <leat/select.h>
#include <leat/time.h>

#include <stdio.h>
#include <string.h>

#define ALIGN_TO(n, to) (((n) + ((to)-1)) & ~(size_t)((to)-1))
#define ALIGN(n)        ALIGN_TO(n, 16)
#define WORKERS_MAX     100000
#define CHANNELS_MAX    1000000

/* --- the pipe */

/* In the runtime, and locked, or st is on no list yet: nobody wants its values any more. */
static void close_outlets(struct leat__m *m, struct leat__stage *st, const leat_error *reason)
{
	for (unsigned i = 0; i < st->outlets; i++)
		leat__chan_close_with(m, st->out[i].c, reason);
}

static const leat_error *why_done(leat_scope *s)
{
	const leat_ctx *c = &s->leat__ctx;

	if (c->leat__cause)
		return c->leat__cause;
	return leat__ctx_err(c) == -ETIMEDOUT ? &leat_deadline_exceeded : &leat_canceled;
}

static void scope_is_done(struct leat__m *m, struct leat__watch *w)
{
	struct leat__pipe *p = container_of(w, struct leat__pipe, watch);

	leat__lock(&p->lock);
	p->cancelled = true;
	for (struct leat__stage *st = p->stages; st; st = st->next)
		if (!st->closes_late)
			close_outlets(m, st, why_done(p->scope));
	leat__unlock(&p->lock);
}

struct leat__pipe *leat__pipe_of(leat_scope *s)
{
	struct leat__pipe *p = __atomic_load_n(&s->leat__pipe, __ATOMIC_ACQUIRE), *made;
	struct leat__m *m;
	void *none = NULL;

	if (p)
		return p;
	made = leat_scope_alloc(s, sizeof *made);
	made->scope = s;
	made->watch.done = scope_is_done;
	if (!__atomic_compare_exchange_n(&s->leat__pipe, &none, made, false, __ATOMIC_ACQ_REL,
	                                 __ATOMIC_ACQUIRE))
		return none;
	m = leat__enter();
	if (!leat__ctx_watch(s->leat__ctx.leat__source, &made->watch))
		scope_is_done(m, &made->watch);
	leat__leave(m);
	return made;
}

/* The stages are joined.  The watch is gone: the scope is done. */
static void leat__pipe_ends(leat_scope *s)
{
	struct leat__pipe *p = s->leat__pipe;
	struct leat__monitor *mon = leat__monitor_of(s);

	if (mon)
		leat__monitor_ends(mon);
	for (struct leat__stage *st = p->stages; st; st = st->next)
		leat_error_free(st->reason);
	leat__errors_end(&p->errors);
}

__attribute__((constructor(103))) static void connect(void)
{
	leat__on_pipe_end = leat__pipe_ends;
}

/* --- making a stage */

void leat__stage_check(const leat_pipe_opts *at)
{
	if (!at->scope)
		leat__panic_runtime("pipe of nil scope");
	if (at->cap < 0)
		leat__panic_runtime("pipe: negative capacity");
	if (at->workers < 0 || at->workers > WORKERS_MAX)
		leat__panic_runtime("pipe: number of workers out of range");
	if (at->panics != LEAT_PIPE_CRASH && at->panics != LEAT_PIPE_FAIL)
		leat__panic_runtime("pipe: no such treatment of panics");
}

struct leat__stage *leat__stage_new_from(void *created_at, const leat_pipe_opts *at,
                                         const struct leat__shape *shape)
{
	size_t ports_at = ALIGN(sizeof(struct leat__stage));
	size_t state_at =
	    ALIGN(ports_at + (shape->inlets + shape->outlets) * sizeof(struct leat__port));
	size_t args_at = state_at + ALIGN(shape->state_bytes), bytes;
	struct leat__stage *st;
	char *block;

	leat__stage_check(at);
	if (__builtin_add_overflow(args_at, shape->args_bytes, &bytes))
		leat__panic_runtime("out of memory");
	block = leat_scope_alloc(at->scope, bytes);
	st = (struct leat__stage *)(void *)block;
	st->pipe = leat__pipe_of(at->scope);
	st->scope = at->scope;
	st->created_at = created_at;
	st->kind = shape->kind;
	st->name = at->name ? at->name : shape->kind;
	st->run = shape->run;
	st->fn = shape->fn;
	st->args = block + args_at;
	if (shape->args_bytes)
		memcpy(st->args, shape->args, shape->args_bytes);
	st->state = block + state_at;
	st->inlets = shape->inlets;
	st->outlets = shape->outlets;
	st->in = (struct leat__port *)(void *)(block + ports_at);
	st->out = st->in + st->inlets;
	st->workers = shape->workers ? shape->workers : at->workers ? at->workers : 1;
	st->closes_late = shape->closes_late;
	st->bridges = shape->bridges;
	st->panics = at->panics;
	return st;
}

static bool has_outlet(const struct leat__stage *st, const leat_chan *c)
{
	for (unsigned i = 0; i < st->outlets; i++)
		if (st->out[i].c == c)
			return true;
	return false;
}

/* The stage of p that has c for an outlet, or NULL; from is where to look first.  Locked. */
static struct leat__stage *owner(struct leat__pipe *p, struct leat__stage *from, const leat_chan *c)
{
	struct leat__stage *st;

	if (!c || !c->outlet)
		return NULL;
	for (st = from; st; st = st->next)
		if (has_outlet(st, c))
			return st;
	for (st = p->stages; st != from; st = st->next)
		if (has_outlet(st, c))
			return st;
	return NULL;
}

static struct leat__stage *find_owner(struct leat__pipe *p, const leat_chan *c)
{
	struct leat__m *m = leat__enter();
	struct leat__stage *st;

	leat__lock(&p->lock);
	st = owner(p, NULL, c);
	leat__unlock(&p->lock);
	leat__leave(m);
	return st;
}

bool leat__pipe_owns(struct leat__pipe *p, const leat_chan *c)
{
	return c && c->outlet && find_owner(p, c);
}

struct leat__stage *leat__stage_of(leat_scope *s, const leat_chan *c)
{
	struct leat__pipe *p = __atomic_load_n(&s->leat__pipe, __ATOMIC_ACQUIRE);

	return p ? find_owner(p, c) : NULL;
}

void leat__stage_take(struct leat__stage *st, unsigned i, leat_chan *c, size_t elem_bytes)
{
	struct leat__stage *peer = c && c->outlet ? find_owner(st->pipe, c) : NULL;

	st->in[i] = (struct leat__port){c, peer != NULL, (uint32_t)elem_bytes, peer};
}

void leat__stage_count(size_t n)
{
	if (n > CHANNELS_MAX)
		leat__panic_runtime("pipe: number of channels out of range");
}

/* The list has the newest first: so does who looks from where the last one was found. */
void leat__stage_take_all(struct leat__stage *st, leat_chan *const *chans, size_t elem_bytes)
{
	const leat__any_chan *c = (const leat__any_chan *)chans;
	struct leat__stage *last = NULL, *peer;

	for (unsigned i = st->inlets; i-- > 0;) {
		struct leat__m *m = leat__enter();

		leat__lock(&st->pipe->lock);
		peer = owner(st->pipe, last, c[i]);
		leat__unlock(&st->pipe->lock);
		leat__leave(m);
		st->in[i] = (struct leat__port){c[i], peer != NULL, (uint32_t)elem_bytes, peer};
		last = peer ? peer : last;
	}
}

leat_chan *leat__stage_give(struct leat__stage *st, unsigned i, size_t elem_bytes, ptrdiff_t cap)
{
	leat_chan *c = leat_scope_chan(st->scope, elem_bytes, cap);

	c->outlet = true;
	st->out[i] = (struct leat__port){c, true, (uint32_t)elem_bytes, NULL};
	return c;
}

/* --- running */

struct leat__worker {
	struct leat__stage *stage;
	int i;
};

void leat__stage_reason(struct leat__stage *st, const leat_error *e)
{
	const leat_error *none = NULL;

	leat_error_retain(e);
	if (!e || !__atomic_compare_exchange_n(&st->reason, &none, e, false, __ATOMIC_ACQ_REL,
	                                       __ATOMIC_ACQUIRE))
		leat_error_free(e);
}

void leat__stage_fail(struct leat__stage *st, const leat_error *e)
{
	leat__stage_reason(st, e);
	leat_ctx_cancel_cause((leat_any_ctx)st->scope, e);
	leat_scope_fail(st->scope, leat_error_code(e));
}

/*
 * Why no more values come: the stage's own reason; else, unless it has sent all that it was to send, the first inlet's
 * that has one, and the scope's.  The last matters where the stage sees that the scope is done before the pipe has
 * closed its outlets: they must not look as if the input had just ended.
 */
static const leat_error *why_ended(struct leat__stage *st)
{
	const leat_error *reason = __atomic_load_n(&st->reason, __ATOMIC_ACQUIRE);

	if (reason || st->complete)
		return reason;
	for (unsigned i = 0; !reason && i < st->inlets; i++)
		reason = leat_chan_reason(st->in[i].c);
	return !reason && leat__stage_over(st) ? why_done(st->scope) : reason;
}

/* Deferred, so that goexit and a panic close the outlets, too. */
static void leat__worker_ends(void *arg)
{
	struct leat__stage *st = arg;

	if (__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE))
		leat__meter_ends(st);
	leat__hb_release(&st->alive);
	if (__atomic_sub_fetch(&st->alive, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	leat__hb_acquire(&st->alive);
	for (unsigned i = 0; i < st->outlets; i++)
		leat_chan_try_close_with(st->out[i].c, why_ended(st));
}

static void leat__worker_run(void *arg)
{
	struct leat__worker *w = arg;
	struct leat__stage *st = w->stage;
	char *buffers = st->buffers + (size_t)w->i * st->buffer_bytes;

	st->run(st, buffers, buffers + st->out_at);
}

/* LEAT_PIPE_FAIL: the panic is an error, of the scope and of the stage. */
static void leat__worker_catches(struct leat__worker *w)
{
	struct leat__stage *st = w->stage;
	leat_panic_info info;
	leat_error *e;

	if (!leat_catch(leat__worker_run, w, &info))
		return;
	e = leat_errorf(NULL, "%s: panic: %s", st->name, info.message);
	leat_error_set_code(e, -EIO);
	leat__stage_fail(st, e);
	leat_error_free(e);
}

static void leat__worker(void *arg)
{
	struct leat__worker *w = arg;
	leat__record end = {.fn = leat__worker_ends, .arg = w->stage};

	leat__record_push(&end);
	if (__atomic_load_n(&w->stage->meter, __ATOMIC_ACQUIRE))
		leat__meter_begins(w->stage);
	if (w->stage->panics == LEAT_PIPE_FAIL)
		leat__worker_catches(w);
	else
		leat__worker_run(w);
	leat__record_leave(&end);
}

leat_chan *leat__stage_start(struct leat__stage *st)
{
	size_t in_bytes = st->inlets ? st->in[0].elem_bytes : 0;
	size_t out_bytes = st->outlets ? st->out[0].elem_bytes : 0;
	struct leat__pipe *p = st->pipe;
	struct leat__m *m;

	st->out_at = ALIGN(in_bytes);
	st->buffer_bytes = st->out_at + ALIGN(out_bytes);
	if (st->workers > 1) /* they write at the same time: on lines of their own */
		st->buffer_bytes = ALIGN_TO(st->buffer_bytes, CACHE_LINE);
	st->buffers =
	    leat_scope_calloc(st->scope, (size_t)st->workers + (st->workers > 1), st->buffer_bytes);
	st->buffers += st->workers > 1 ? -(uintptr_t)st->buffers % CACHE_LINE : 0;
	st->alive = st->workers;

	leat__monitor_stage(st);
	m = leat__enter();
	leat__lock(&p->lock);
	st->next = p->stages;
	p->stages = st;
	if (p->cancelled && !st->closes_late)
		close_outlets(m, st, why_done(p->scope));
	leat__unlock(&p->lock);
	leat__leave(m);
	leat__monitor_stage(st); /* it may have been switched on before st was on the list */
	for (int i = 0; i < st->workers; i++)
		leat__scope_go_from(st->scope, leat__worker, &(struct leat__worker){st, i},
		                    sizeof(struct leat__worker), st->created_at);
	return st->outlets ? st->out[0].c : NULL;
}

leat_chan *leat__stage_plain_from(void *created_at, const leat_pipe_opts *at,
                                  const struct leat__shape *shape, leat_chan *in,
                                  ptrdiff_t in_bytes, ptrdiff_t out_bytes)
{
	struct leat__shape full = *shape;
	struct leat__stage *st;

	full.inlets = in_bytes >= 0;
	full.outlets = out_bytes >= 0;
	st = leat__stage_new_from(created_at, at, &full);
	if (in_bytes >= 0)
		leat__stage_take(st, 0, in, (size_t)in_bytes);
	if (out_bytes >= 0)
		leat__stage_give(st, 0, (size_t)out_bytes, at->cap);
	return leat__stage_start(st);
}

/* --- with a time limit */

void leat__stage_will_time(struct leat__stage *st)
{
	for (unsigned i = 0; i < st->inlets; i++)
		if (!st->in[i].ours)
			(void)leat_scope_done(st->scope);
}

/* Nobody but the clock wakes a select for an inlet of the pipe's own, which is closed when the scope is done. */
static enum leat__received leat__recv_by(struct leat__stage *st, unsigned i, void *v, int64_t at_ns,
                                         bool *taken)
{
	leat_case cases[2] = {{st->in[i].c, LEAT_RECV, v}, {NULL, LEAT_RECV, NULL}};
	int chosen = 0;
	bool ok;

	if (at_ns == INT64_MAX)
		return leat__stage_recv_plain(st, i, v, taken) ? LEAT__GOT : LEAT__ENDED;
	if (!leat_chan_try_recv(st->in[i].c, v, &ok)) { /* else nobody needs the clock */
		int64_t now = leat_now();

		if (!st->in[i].ours)
			cases[1].chan = (leat_chan *)(void *)leat_scope_done(st->scope);
		chosen = leat_select(cases, 2, at_ns > now ? at_ns - now : 0, &ok);
	}
	*taken = chosen == 0 && ok;
	if (leat__stage_over(st))
		return LEAT__ENDED;
	if (chosen == LEAT_SELECT_NONE)
		return LEAT__LATE;
	return *taken ? LEAT__GOT : LEAT__ENDED;
}

enum leat__received leat__stage_recv_by(struct leat__stage *st, unsigned i, void *v, int64_t at_ns)
{
	bool metered = __atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) != NULL, taken;
	enum leat__received got;

	if (metered)
		leat__meter_asks_more(st);
	got = leat__recv_by(st, i, v, at_ns, &taken);
	if (metered)
		leat__meter_took(st, i, taken);
	return got;
}

void leat__stage_lose_older(struct leat__stage *st)
{
	leat__stage_lose(st);
	if (__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE))
		leat__meter_replaced(st);
}
