/* SPDX-License-Identifier: MIT */
/*
 * Custom contexts: the program answers.
 *
 * One with a done channel of its own is the root of a tree.  While others depend on it (contexts below it,
 * waits, functions) a goroutine waits for that channel, and cancels the tree.  The first that comes starts it;
 * the last that leaves stops it and waits for its end, for it uses the context.
 *
 * Invariants (the context's lock)
 *  - watcher is there only while dependents is not 0, and then always, unless the context was found done; its
 *    goroutine was set aside before, so that there is no watcher that could not be started.
 */
#include "ctx/ctx.h"

#include "sched/panic.h"

#include <leat/go.h>
#include <leat/select.h>

#include <errno.h>
#include <stdlib.h>

struct watcher {
	leat_ctx *ctx;
	struct leat__g *g; /* set aside until it is started */
	leat_chan *done, *stop, *ended;
};

struct custom {
	const leat_ctx_ops *ops;
	void *self;
	size_t dependents;
	struct watcher *watcher;
};

static struct custom *custom_of(const leat_ctx *c)
{
	return c->leat__value;
}

leat_ctx *leat_ctx_custom(leat_any_ctx parent, const leat_ctx_ops *ops, void *self)
{
	struct custom *custom;
	leat__record cleanup;
	leat_ctx *c;

	if (ops->done && !ops->err)
		leat__panic_runtime("ctx_custom: done without err");
	custom = malloc(sizeof *custom);
	cleanup = (leat__record){.fn = free, .arg = custom};
	if (!custom)
		leat__panic_runtime("out of memory");
	*custom = (struct custom){.ops = ops, .self = self};
	leat__record_push(&cleanup);
	c = leat__ctx_new(parent.leat__ctx, ops->done ? LEAT__CTX_CUSTOM : LEAT__CTX_VALUE);
	cleanup.arg = NULL;
	leat__record_leave(&cleanup);
	c->leat__kind = LEAT__CTX_CUSTOM;
	c->leat__value = custom;
	return c;
}

/* --- asked */

int leat__custom_err(const leat_ctx *c)
{
	const struct custom *custom = custom_of(c);

	return custom->ops->err(custom->self);
}

const leat_error *leat__custom_cause(const leat_ctx *c)
{
	const struct custom *custom = custom_of(c);

	return custom->ops->cause ? custom->ops->cause(custom->self) : NULL;
}

recv_chan(leat_empty) leat__custom_done(const leat_ctx *c)
{
	const struct custom *custom = custom_of(c);

	return custom->ops->done(custom->self);
}

bool leat__custom_deadline(const leat_ctx *c, int64_t *at_ns)
{
	const struct custom *custom = custom_of(c);

	if (!custom->ops->deadline)
		return false;
	if (!custom->ops->deadline(custom->self, at_ns))
		*at_ns = INT64_MAX;
	return true;
}

bool leat__custom_value(const leat_ctx *c, const leat_ctx_key *key, void **value)
{
	const struct custom *custom = custom_of(c);

	*value = custom->ops->value ? custom->ops->value(custom->self, key) : NULL;
	return *value != NULL;
}

const char *leat__custom_name(const leat_ctx *c)
{
	return custom_of(c)->ops->name;
}

/* --- watched */

static void free_watcher(void *arg)
{
	struct watcher *w = arg;
	struct leat__m *m;

	if (!w)
		return;
	if (w->g) {
		m = leat__enter();
		leat__g_unreserve(m, w->g);
		leat__leave(m);
	}
	leat_chan_free(w->stop);
	leat_chan_free(w->ended);
	free(w);
}

/* Found out by asking, or told by a value instead of a close. */
static void leat__ctx_became_done(leat_ctx *c)
{
	int err = leat__custom_err(c);
	const leat_error *cause = leat__custom_cause(c);
	struct leat__m *m = leat__enter();
	bool timers = leat__ctx_cancel(m, c, err ? err : -ECANCELED, cause);

	leat__leave(m);
	if (timers)
		leat__ctx_stop_timers(c);
}

/* Found out by the watcher, on behalf of who closed the channel, not of who came first and so started it. */
static void leat__ctx_was_closed(leat_ctx *c, leat_chan *done)
{
	int err = leat__custom_err(c);
	const leat_error *cause = leat__custom_cause(c);
	struct leat__m *m = leat__enter();
	struct leat__san_nobody nobody;
	bool timers;

	leat__san_nobody_begin(&nobody);
	leat__hb_acquire(&done->special);
	timers = leat__ctx_cancel(m, c, err ? err : -ECANCELED, cause);
	leat__san_nobody_end(&nobody);
	leat__leave(m);
	if (timers)
		leat__ctx_stop_timers(c);
}

static void leat__ctx_watcher(void *arg)
{
	struct watcher *w = arg;
	const leat_case cases[] = {{w->stop, LEAT_RECV, NULL}, {w->done, LEAT_RECV, NULL}};
	bool value = false;

	if (leat_select(cases, 2, LEAT_FOREVER, &value) == 1) {
		if (value)
			leat__ctx_became_done(w->ctx);
		else
			leat__ctx_was_closed(w->ctx, w->done);
	}
	leat_chan_close(w->ended);
}

/* w, which was started, is to stop. */
static void leat__ctx_dismiss(struct watcher *w)
{
	if (!w)
		return;
	leat_chan_close(w->stop);
	leat_chan_recv(w->ended, NULL);
	free_watcher(w);
}

/* One depends more, if others do or there is nothing to watch, or else if *w is there to be started. */
static bool count_more(leat_ctx *c, struct watcher **w)
{
	struct custom *custom = custom_of(c);
	struct leat__m *m = leat__enter();
	struct leat__g *g = NULL;
	bool counted = true;

	leat__lock(&c->leat__lock);
	if (custom->dependents == 0 && !c->leat__err) {
		custom->watcher = *w;
		counted = *w != NULL;
		*w = NULL;
	}
	custom->dependents += counted;
	if (counted && custom->dependents == 1 && custom->watcher) {
		g = custom->watcher->g;
		custom->watcher->g = NULL;
		leat__hb_release(g);
		leat__g_enroll(m, g);
	}
	leat__unlock(&c->leat__lock);
	if (g)
		leat__ready(m, g, false);
	leat__leave(m);
	return counted;
}

static struct watcher *count_less(leat_ctx *c)
{
	struct custom *custom = custom_of(c);
	struct leat__m *m = leat__enter();
	struct watcher *w = NULL;

	leat__lock(&c->leat__lock);
	if (--custom->dependents == 0) {
		w = custom->watcher;
		custom->watcher = NULL;
	}
	leat__unlock(&c->leat__lock);
	leat__leave(m);
	return w;
}

void leat__ctx_depend(leat_ctx *c)
{
	struct watcher *w = NULL;
	leat__record cleanup;
	struct leat__m *m;

	if (likely(c->leat__kind != LEAT__CTX_CUSTOM))
		return;
	if (!leat__ctx_err(c) && leat__custom_err(c))
		leat__ctx_became_done(c);
	if (count_more(c, &w))
		return;
	w = calloc(1, sizeof *w);
	if (!w)
		leat__panic_runtime("out of memory");
	cleanup = (leat__record){.fn = free_watcher, .arg = w};
	leat__record_push(&cleanup);
	w->ctx = c;
	w->done = (leat_chan *)(void *)leat__custom_done(c);
	w->stop = leat_chan_make(0, 0);
	w->ended = leat_chan_make(0, 0);
	m = leat__enter();
	w->g = leat__g_reserve(m, leat__ctx_watcher, w, __builtin_return_address(0));
	leat__leave(m);
	if (!w->g)
		leat__panic_runtime("out of memory");
	count_more(c, &w);
	cleanup.arg = w; /* not needed any more, or NULL */
	leat__record_leave(&cleanup);
}

void leat__ctx_undepend(leat_ctx *c)
{
	if (unlikely(c->leat__kind == LEAT__CTX_CUSTOM))
		leat__ctx_dismiss(count_less(c));
}

/* Functions that were started have left their count. */
void leat__custom_end(leat_ctx *c)
{
	leat__ctx_dismiss(custom_of(c)->watcher);
	free(custom_of(c));
}
