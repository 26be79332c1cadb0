/* SPDX-License-Identifier: MIT */
/*
 * How contexts are made, shown and freed.
 *
 * What is made below a scope is its own: on its list, newest first, so that a context is freed before those
 * that it was made from.  The list is under the lock of the scope's tree.
 */
#include "ctx/ctx.h"

#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/timer.h"

#include <leat/time.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- made */

static void own(leat_ctx *scope, leat_ctx *c)
{
	struct leat__m *m = leat__enter();

	leat__lock(&scope->leat__root->leat__lock);
	c->leat__owned = scope->leat__owned;
	if (c->leat__owned)
		c->leat__owned->leat__owned_prev = c;
	scope->leat__owned = c;
	leat__unlock(&scope->leat__root->leat__lock);
	leat__leave(m);
}

leat_ctx *leat__ctx_new(leat_ctx *parent, enum leat__ctx_kind kind)
{
	leat_ctx *c;

	if (!parent)
		leat__panic_runtime("cannot create context from nil parent");
	c = calloc(1, sizeof *c);
	if (!c)
		leat__panic_runtime("out of memory");
	if (unlikely(parent->leat__source && parent->leat__source->leat__kind == LEAT__CTX_CUSTOM)) {
		leat__record cleanup = {.fn = free, .arg = c}; /* a watcher may find no memory */

		leat__record_push(&cleanup);
		leat__ctx_init(c, parent, kind);
		cleanup.arg = NULL;
		leat__record_leave(&cleanup);
	} else {
		leat__ctx_init(c, parent, kind);
	}
	if (c->leat__owner)
		own(c->leat__owner, c);
	return c;
}

leat_ctx *leat_ctx_with_cancel(leat_any_ctx parent)
{
	return leat__ctx_new(parent.leat__ctx, LEAT__CTX_CANCEL);
}

static void free_one(void *c)
{
	leat_ctx_free(c);
}

leat_ctx *leat_ctx_with_deadline_cause(leat_any_ctx parent, int64_t at_ns, const leat_error *cause)
{
	leat_ctx *c = leat__ctx_new(parent.leat__ctx, LEAT__CTX_DEADLINE);
	leat__record cleanup = {.fn = free_one, .arg = c};
	int64_t before;

	if (!leat_ctx_deadline((leat_any_ctx)c, &before) || at_ns < before) {
		leat__record_push(&cleanup);
		leat__ctx_set_deadline(c, at_ns, cause);
		cleanup.arg = NULL;
		leat__record_leave(&cleanup);
	}
	return c;
}

leat_ctx *leat_ctx_with_deadline(leat_any_ctx parent, int64_t at_ns)
{
	return leat_ctx_with_deadline_cause(parent, at_ns, NULL);
}

leat_ctx *leat_ctx_with_timeout_cause(leat_any_ctx parent, int64_t duration_ns,
                                      const leat_error *cause)
{
	return leat_ctx_with_deadline_cause(parent, leat__deadline(duration_ns), cause);
}

leat_ctx *leat_ctx_with_timeout(leat_any_ctx parent, int64_t duration_ns)
{
	return leat_ctx_with_timeout_cause(parent, duration_ns, NULL);
}

leat_ctx *leat_ctx_without_cancel(leat_any_ctx parent)
{
	return leat__ctx_new(parent.leat__ctx, LEAT__CTX_WITHOUT_CANCEL);
}

leat_ctx *leat_ctx_with_value(leat_any_ctx parent, const leat_ctx_key *key, void *value)
{
	leat_ctx *c;

	if (!key && parent.leat__ctx)
		leat__panic_runtime("nil key");
	c = leat__ctx_new(parent.leat__ctx, LEAT__CTX_VALUE);
	c->leat__key = key;
	c->leat__value = value;
	return c;
}

/* --- shown */

struct text {
	char *at;
	size_t room, length;
};

static void append(struct text *t, const char *s)
{
	size_t n = strlen(s), left = t->room > t->length ? t->room - t->length : 0;

	if (left > 1)
		memcpy(t->at + t->length, s, n < left - 1 ? n : left - 1);
	t->length += n;
}

static void append_deadline(struct text *t, int64_t at_ns)
{
	int64_t left_ns = at_ns - leat__clock();
	char s[64];

	snprintf(s, sizeof s, ".WithDeadline(%s%.6gs)", left_ns < 0 ? "-" : "in ",
	         (double)(left_ns < 0 ? -left_ns : left_ns) / 1e9);
	append(t, s);
}

static void append_one(struct text *t, const leat_ctx *c)
{
	int64_t at;

	switch ((enum leat__ctx_kind)c->leat__kind) {
	case LEAT__CTX_BACKGROUND:
		append(t, "context.Background");
		break;
	case LEAT__CTX_TODO:
		append(t, "context.TODO");
		break;
	case LEAT__CTX_CANCEL:
		append(t, ".WithCancel");
		break;
	case LEAT__CTX_DEADLINE:
		if (leat_ctx_deadline((leat_any_ctx)(leat_ctx *)(uintptr_t)c, &at))
			append_deadline(t, at);
		else
			append(t, ".WithDeadline(never)");
		break;
	case LEAT__CTX_VALUE:
		append(t, ".WithValue(");
		append(t, ((const leat_ctx_key *)c->leat__key)->name
		              ? ((const leat_ctx_key *)c->leat__key)->name
		              : "");
		append(t, ")");
		break;
	case LEAT__CTX_WITHOUT_CANCEL:
		append(t, ".WithoutCancel");
		break;
	case LEAT__CTX_CUSTOM:
		append(t, ".");
		append(t, leat__custom_name(c));
		break;
	case LEAT__CTX_SCOPE:
		append(t, c->leat__parent ? ".scope" : "scope");
		break;
	}
}

/* The context n steps above c. */
static const leat_ctx *above(const leat_ctx *c, size_t n)
{
	for (; n > 0; n--)
		c = c->leat__parent;
	return c;
}

size_t leat_ctx_string(leat_any_ctx ctx, char *text, size_t bytes)
{
	struct text t = {text, bytes, 0};
	size_t n = 0;

	for (const leat_ctx *c = ctx.leat__ctx; c; c = c->leat__parent)
		n++;
	while (n-- > 0)
		append_one(&t, above(ctx.leat__ctx, n));
	if (bytes)
		text[t.length < bytes ? t.length : bytes - 1] = '\0';
	return t.length;
}

/* --- freed */

static void disown(leat_ctx *c)
{
	leat_ctx *scope = c->leat__owner;
	struct leat__m *m;

	if (!scope)
		return;
	m = leat__enter();
	leat__lock(&scope->leat__root->leat__lock);
	if (c->leat__owned_prev)
		c->leat__owned_prev->leat__owned = c->leat__owned;
	else
		scope->leat__owned = c->leat__owned;
	if (c->leat__owned)
		c->leat__owned->leat__owned_prev = c->leat__owned_prev;
	leat__unlock(&scope->leat__root->leat__lock);
	leat__leave(m);
}

/* Cancel c, where it can be, and end it. */
static void end(leat_ctx *c)
{
	if (c->leat__source == c && c->leat__kind != LEAT__CTX_CUSTOM)
		leat_ctx_cancel((leat_any_ctx)c);
	leat__ctx_end(c);
	free(c);
}

void leat_ctx_free(leat_ctx *c)
{
	if (!c)
		return;
	if (c->leat__kind == LEAT__CTX_BACKGROUND || c->leat__kind == LEAT__CTX_TODO)
		leat__panic_runtime("ctx_free: it is a root");
	if (c->leat__kind == LEAT__CTX_SCOPE)
		leat__panic_runtime("ctx_free: it is a scope");
	if (c->leat__child)
		leat__panic_runtime("ctx_free: contexts below it live on");
	disown(c);
	end(c);
}

void leat__ctx_free_owned(leat_ctx *scope)
{
	leat_ctx *c;

	while ((c = scope->leat__owned)) {
		scope->leat__owned = c->leat__owned;
		if (c->leat__owned)
			c->leat__owned->leat__owned_prev = NULL;
		end(c);
	}
}
