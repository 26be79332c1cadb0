/* SPDX-License-Identifier: MIT */
/*
 * Contexts.
 *
 * Two relations.  Each context has a parent, whose values it has: a chain up to a root.  And those that can
 * be done form trees: `source` is the context that says whether this one is done (itself, or for values one
 * above; NULL where that can never be), `up` the source above that one.  What cannot be cancelled ends
 * such a tree: a context below it is a root of its own, with a lock of its own.
 *
 * Invariants (the lock of the tree's root)
 *  - A context that is done has only done contexts below it.
 *  - A context is on the list of `up` from its making to its end, so `up` outlives it.
 *  - The done channel, if there is one, is closed exactly when err is set, and no watch is on the list then.
 * What was made below a scope is on the list of the scope's context, newest first, under the same lock or,
 * where it is no part of that tree, all the same.
 *
 * Done.  err is stored before the channel is closed: who is woken by the channel must find err.  Who finds
 * err without having waited may come before the close, and then takes the lock once (told), since err
 * promises that the channel is closed.  The store of err is a release, and its loads are acquires: cause, and
 * all that precedes a cancel, is seen by whoever finds err.
 *
 * A second cancel takes the lock, too, although it changes nothing: on its return all below is done.
 *
 * Each context holds its cause, from when it is done to its end.
 *
 * Lock order: deadlines (ctx/deadline.c), the timers', a root's, a channel's.
 *
 * Each context counts those made from it, of all kinds, so that it is not freed under them; roots do not,
 * which live for ever, nor do scopes, which own them.
 *
 * The walk over a tree uses its links and no recursion: trees may be deep.
 */
#include "ctx/ctx.h"

#include "sched/panic.h"

#include <errno.h>

static leat_ctx background = {.leat__at = INT64_MAX, .leat__kind = LEAT__CTX_BACKGROUND};
static leat_ctx todo = {.leat__at = INT64_MAX, .leat__kind = LEAT__CTX_TODO};

leat_ctx *leat_ctx_background(void)
{
	return &background;
}

leat_ctx *leat_ctx_todo(void)
{
	return &todo;
}

/* --- cancellation */

static void lock(const leat_ctx *source)
{
	leat__lock(&source->leat__root->leat__lock);
}

static void unlock(const leat_ctx *source)
{
	leat__unlock(&source->leat__root->leat__lock);
}

static void unlink_watch(struct leat__watch *w)
{
	if (w->prev)
		w->prev->next = w->next;
	else
		w->ctx->leat__watches = w->next;
	if (w->next)
		w->next->prev = w->prev;
	w->ctx = NULL;
}

/* c becomes done.  Locked. */
static void finish_one(struct leat__m *m, leat_ctx *c, int err, const leat_error *cause)
{
	struct leat__watch *w;

	c->leat__cause = leat_error_retain(cause);
	leat__hb_release(&c->leat__err); /* before others can see it */
	__atomic_store_n(&c->leat__err, err, __ATOMIC_RELEASE);
	if (c->leat__done)
		leat__chan_close(m, c->leat__done);
	while ((w = c->leat__watches)) {
		unlink_watch(w);
		w->done(m, w);
	}
}

leat_ctx *leat__ctx_walk(leat_ctx *c, const leat_ctx *top, bool below)
{
	if (below && c->leat__child)
		return c->leat__child;
	for (; c != top; c = c->leat__up)
		if (c->leat__next)
			return c->leat__next;
	return NULL;
}

bool leat__ctx_cancel(struct leat__m *m, leat_ctx *top, int err, const leat_error *cause)
{
	leat_ctx *c = top;
	bool timers = false;

	lock(top);
	while (c) {
		bool was_done = c->leat__err != 0;

		if (!was_done)
			finish_one(m, c, err, cause);
		timers |= __atomic_load_n(&c->leat__armed, __ATOMIC_RELAXED);
		c = leat__ctx_walk(c, top, !was_done);
	}
	unlock(top);
	return timers;
}

void leat_ctx_cancel_cause(leat_any_ctx ctx, const leat_error *cause)
{
	leat_ctx *c = ctx.leat__ctx;
	struct leat__m *m;
	bool timers;

	if (!c || c->leat__source != c || c->leat__kind == LEAT__CTX_CUSTOM)
		leat__panic_runtime("context: cannot be cancelled");
	m = leat__enter();
	timers = leat__ctx_cancel(m, c, -ECANCELED, cause);
	leat__leave(m);
	if (timers)
		leat__ctx_stop_timers(c);
}

void leat_ctx_cancel(leat_any_ctx ctx)
{
	leat_ctx_cancel_cause(ctx, NULL);
}

bool leat__ctx_watch(leat_ctx *source, struct leat__watch *w)
{
	bool done;

	lock(source);
	done = source->leat__err != 0;
	w->ctx = done ? NULL : source;
	if (!done) {
		w->prev = NULL;
		w->next = source->leat__watches;
		if (w->next)
			w->next->prev = w;
		source->leat__watches = w;
	}
	unlock(source);
	return !done;
}

bool leat__ctx_unwatch(leat_ctx *source, struct leat__watch *w)
{
	bool there;

	lock(source);
	there = w->ctx != NULL;
	if (there)
		unlink_watch(w);
	unlock(source);
	return there;
}

/* --- asking */

/* Who answers for c whether it is done; NULL: nobody. */
static const leat_ctx *source_of(const leat_ctx *c)
{
	return c ? c->leat__source : NULL;
}

/* Let who has stored the err of s, a source, come to the end of its walk. */
static COLD void await_cancel(const leat_ctx *s)
{
	struct leat__m *m = leat__enter();

	lock(s);
	unlock(s);
	leat__leave(m);
}

int leat__ctx_told(const leat_ctx *s)
{
	int err = leat__ctx_err(s);
	const leat_chan *done;

	if (likely(!err))
		return 0;
	done = __atomic_load_n(&s->leat__done, __ATOMIC_ACQUIRE);
	/* Relaxed: a later look at the channel sees no less. */
	if (done && __atomic_load_n(&done->special, __ATOMIC_RELAXED) != LEAT__CLOSED_CHAN)
		await_cancel(s);
	return err;
}

int leat_ctx_err(leat_any_ctx ctx)
{
	const leat_ctx *s = source_of(ctx.leat__ctx);
	int err;

	if (!s)
		return 0;
	err = leat__ctx_told(s);
	return unlikely(!err && s->leat__kind == LEAT__CTX_CUSTOM) ? leat__custom_err(s) : err;
}

const leat_error *leat_ctx_error(leat_any_ctx ctx)
{
	switch (leat_ctx_err(ctx)) {
	case 0:
		return NULL;
	case -ETIMEDOUT:
		return &leat_deadline_exceeded;
	default:
		return &leat_canceled;
	}
}

const leat_error *leat_ctx_cause(leat_any_ctx ctx)
{
	const leat_ctx *s = source_of(ctx.leat__ctx);
	const leat_error *error = leat_ctx_error(ctx), *cause = NULL;

	if (!error)
		return NULL;
	if (leat__ctx_err(s))
		cause = s->leat__cause;
	else if (s->leat__kind == LEAT__CTX_CUSTOM)
		cause = leat__custom_cause(s);
	return cause ? cause : error;
}

/* The channel of c, a source that is not custom, made if need be. */
static leat_chan *done_chan(leat_ctx *c)
{
	leat_chan *there = __atomic_load_n(&c->leat__done, __ATOMIC_ACQUIRE), *made;
	struct leat__san_nobody nobody;
	struct leat__m *m;

	if (there)
		return there;
	made = leat__chan_new(0, 0);
	made->scoped = true;
	m = leat__enter();
	lock(c);
	there = c->leat__done;
	if (!there) {
		there = made;
		made = NULL;
		if (c->leat__err) {
			/* On behalf of who cancelled: the caller only asks. */
			leat__san_nobody_begin(&nobody);
			leat__hb_acquire(&c->leat__err);
			leat__chan_close(m, there);
			leat__san_nobody_end(&nobody);
		}
		__atomic_store_n(&c->leat__done, there, __ATOMIC_RELEASE);
	}
	unlock(c);
	leat__leave(m);
	if (made)
		leat__chan_delete(made);
	return there;
}

recv_chan(leat_empty) leat_ctx_done(leat_any_ctx ctx)
{
	leat_ctx *s = ctx.leat__ctx ? ctx.leat__ctx->leat__source : NULL;

	if (!s)
		return NULL;
	if (s->leat__kind == LEAT__CTX_CUSTOM)
		return leat__custom_done(s);
	return (recv_chan(leat_empty))(void *)done_chan(s);
}

bool leat_ctx_deadline(leat_any_ctx ctx, int64_t *at_ns)
{
	int64_t first = INT64_MAX, at;

	for (const leat_ctx *c = ctx.leat__ctx; c; c = c->leat__parent) {
		bool last = c->leat__kind == LEAT__CTX_WITHOUT_CANCEL;

		at = __atomic_load_n(&c->leat__at, __ATOMIC_RELAXED);
		if (unlikely(c->leat__kind == LEAT__CTX_CUSTOM))
			last |= leat__custom_deadline(c, &at);
		if (at < first)
			first = at;
		if (last)
			break;
	}
	if (first == INT64_MAX)
		return false;
	if (at_ns)
		*at_ns = first;
	return true;
}

void *leat_ctx_value(leat_any_ctx ctx, const leat_ctx_key *key)
{
	void *value;

	if (!key)
		leat__panic_runtime("nil key");
	for (const leat_ctx *c = ctx.leat__ctx; c; c = c->leat__parent) {
		if (c->leat__kind == LEAT__CTX_VALUE && c->leat__key == key)
			return c->leat__value;
		if (unlikely(c->leat__kind == LEAT__CTX_CUSTOM) && leat__custom_value(c, key, &value))
			return value;
	}
	return NULL;
}

/* --- beginning and end */

/* c was made below up, which is done: who finds c done comes after that cancel, who made it need not. */
static void is_born_done(leat_ctx *c, leat_ctx *up)
{
	struct leat__san_nobody nobody;

	leat__san_nobody_begin(&nobody);
	leat__hb_acquire(&up->leat__err);
	leat__hb_release(&c->leat__err);
	leat__san_nobody_end(&nobody);
}

/* Put c, a source, below up, which is one too. */
static void link_below(leat_ctx *c, leat_ctx *up)
{
	struct leat__m *m = leat__enter();
	int err;

	c->leat__up = up;
	c->leat__root = up->leat__root;
	lock(up);
	c->leat__err = err = up->leat__err;
	c->leat__cause = leat_error_retain(up->leat__cause);
	c->leat__next = up->leat__child;
	if (c->leat__next)
		c->leat__next->leat__prev = c;
	up->leat__child = c;
	unlock(up);
	if (unlikely(err))
		is_born_done(c, up);
	leat__leave(m);
}

static void unlink_from_up(leat_ctx *c)
{
	struct leat__m *m;

	if (!c->leat__up)
		return;
	m = leat__enter();
	lock(c);
	if (c->leat__prev)
		c->leat__prev->leat__next = c->leat__next;
	else
		c->leat__up->leat__child = c->leat__next;
	if (c->leat__next)
		c->leat__next->leat__prev = c->leat__prev;
	unlock(c);
	leat__leave(m);
	leat__ctx_undepend(c->leat__up);
}

/* Whose life nobody has to watch. */
static bool lives_longer(const leat_ctx *parent)
{
	return !parent || parent->leat__kind <= LEAT__CTX_TODO || parent->leat__kind == LEAT__CTX_SCOPE;
}

static void count_below(leat_ctx *parent, uint32_t one)
{
	if (!lives_longer(parent))
		__atomic_fetch_add(&parent->leat__below, one, __ATOMIC_RELAXED);
}

void leat__ctx_init(leat_ctx *c, leat_ctx *parent, enum leat__ctx_kind kind)
{
	leat_ctx *up = parent ? parent->leat__source : NULL;

	leat__hb_renew(&c->leat__err); /* a scope lies on a stack */
	c->leat__parent = parent;
	c->leat__at = INT64_MAX;
	c->leat__kind = (uint8_t)kind;
	c->leat__owner = parent ? parent->leat__owner : NULL;
	switch (kind) {
	case LEAT__CTX_VALUE:
		c->leat__source = up;
		break;
	case LEAT__CTX_WITHOUT_CANCEL:
		break;
	case LEAT__CTX_CUSTOM: /* with a done of its own */
		c->leat__source = c->leat__root = c;
		break;
	default:
		c->leat__source = c->leat__root = c;
		if (up) {
			leat__ctx_depend(up);
			link_below(c, up);
		}
	}
	count_below(parent, 1);
}

void (*leat__on_signalled_end)(leat_ctx *c);

static bool is_signalled(const leat_ctx *c)
{
	return (c->leat__kind == LEAT__CTX_SCOPE || c->leat__kind == LEAT__CTX_SIGNAL) &&
	       c->leat__value;
}

void leat__ctx_end(leat_ctx *c)
{
	if (is_signalled(c))
		leat__on_signalled_end(c);
	if (c->leat__source == c) {
		leat__ctx_free_timer(c);
		unlink_from_up(c);
	}
	count_below(c->leat__parent, (uint32_t)-1);
	if (c->leat__kind == LEAT__CTX_CUSTOM)
		leat__custom_end(c);
	if (c->leat__done)
		leat__chan_delete(c->leat__done);
	leat_error_free(c->leat__cause);
}
