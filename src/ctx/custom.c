/* SPDX-License-Identifier: MIT */
/*
 * Custom contexts: the program answers.
 *
 * One with a done channel of its own is the root of a tree.  While others depend on it (contexts below it,
 * waits, functions) a goroutine waits for that channel, and cancels the tree.  The first that comes starts it;
 * the last that leaves stops it and waits for its end, for it uses the context.
 *
 * Invariants (the context's lock)
 *  - watcher is there only while dependents is not 0, and then always, unless the context was found done.
 */
#include "ctx/ctx.h"

#include "sched/panic.h"

#include <leat/go.h>
#include <leat/select.h>

#include <errno.h>
#include <stdlib.h>

struct watcher {
	leat_ctx *ctx;
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
	struct custom *custom = malloc(sizeof *custom);
	leat__record cleanup = {.fn = free, .arg = custom};
	leat_ctx *c;

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

void leat__custom_end(leat_ctx *c)
{
	free(custom_of(c));
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

	return custom->ops->deadline && custom->ops->deadline(custom->self, at_ns);
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

	if (!w)
		return;
	leat_chan_free(w->stop);
	leat_chan_free(w->ended);
	free(w);
}

static void leat__ctx_became_done(leat_ctx *c)
{
	int err = leat__custom_err(c);
	const leat_error *cause = leat__custom_cause(c);
	struct leat__m *m = leat__enter();

	leat__ctx_cancel(m, c, err ? err : -ECANCELED, cause);
	leat__leave(m);
}

static void leat__ctx_watcher(void *arg)
{
	struct watcher *w = *(struct watcher **)arg;
	const leat_case cases[] = {{w->stop, LEAT_RECV, NULL}, {w->done, LEAT_RECV, NULL}};

	if (leat_select(cases, 2, LEAT_FOREVER, NULL) == 1)
		leat__ctx_became_done(w->ctx);
	leat_chan_close(w->ended);
}

/* w, which was just installed, could not be started, or is to stop. */
static void leat__ctx_dismiss(struct watcher *w, bool started)
{
	if (!w)
		return;
	if (started) {
		leat_chan_close(w->stop);
		leat_chan_recv(w->ended, NULL);
	}
	free_watcher(w);
}

/* One more or less; what is to be installed, or was. */
static struct watcher *count(leat_ctx *c, bool more, struct watcher *w)
{
	struct custom *custom = custom_of(c);
	struct leat__m *m = leat__enter();

	leat__lock(&c->leat__lock);
	if (more) {
		if (custom->dependents++ == 0 && !c->leat__err) {
			custom->watcher = w;
			w = NULL;
		}
	} else if (--custom->dependents == 0) {
		w = custom->watcher;
		custom->watcher = NULL;
	}
	leat__unlock(&c->leat__lock);
	leat__leave(m);
	return w;
}

static void undepend(void *c)
{
	leat__ctx_dismiss(count(c, false, NULL), false);
}

void leat__ctx_depend(leat_ctx *c)
{
	struct watcher *w, *spare;
	leat__record cleanup;

	if (likely(c->leat__kind != LEAT__CTX_CUSTOM))
		return;
	if (!leat__ctx_err(c) && leat__custom_err(c))
		leat__ctx_became_done(c);
	w = calloc(1, sizeof *w);
	if (!w)
		leat__panic_runtime("out of memory");
	cleanup = (leat__record){.fn = free_watcher, .arg = w};
	leat__record_push(&cleanup);
	w->ctx = c;
	w->done = (leat_chan *)(void *)leat__custom_done(c);
	w->stop = leat_chan_make(0, 0);
	w->ended = leat_chan_make(0, 0);
	spare = count(c, true, w);
	if (!spare) {
		cleanup.fn = undepend;
		cleanup.arg = c;
		leat_go(leat__ctx_watcher, &w, sizeof w);
		cleanup.arg = NULL;
		cleanup.fn = free_watcher;
	}
	leat__record_leave(&cleanup);
}

void leat__ctx_undepend(leat_ctx *c)
{
	if (unlikely(c->leat__kind == LEAT__CTX_CUSTOM))
		leat__ctx_dismiss(count(c, false, NULL), true);
}
