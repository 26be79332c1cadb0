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

#include <errno.h>
#include <stdlib.h>

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

	leat__record_push(&cleanup);
	/* Where it has come already c is done at once, though the parent's may come late. */
	if (!leat_ctx_deadline(parent, &before) || at_ns < before || at_ns <= leat__clock())
		leat__ctx_set_deadline(c, at_ns, cause);
	else
		c->leat__at = at_ns; /* for its form */
	cleanup.arg = NULL;
	leat__record_leave(&cleanup);
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

/*
 * A form is written from its end, since only the way up is known: a first walk measures, a second one writes.
 * What may change in between (a deadline comes closer) is taken from one clock.
 */
struct text {
	char *to; /* NULL: only measure */
	size_t bytes;
	size_t at; /* where the next piece begins; also beyond the room */
	int64_t now_ns;
};

static void append(struct text *t, const char *s)
{
	for (; *s; s++, t->at++)
		if (t->to && t->at + 1 < t->bytes)
			t->to[t->at] = *s;
}

/* In seconds and milliseconds; without stdio, which takes more stack than a small goroutine has. */
static void append_seconds(struct text *t, int64_t when, int64_t now)
{
	char s[32], *at = s + sizeof s;
	bool past = when < now;
	uint64_t ms =
	    (past ? (uint64_t)now - (uint64_t)when : (uint64_t)when - (uint64_t)now) / 1000000;

	*--at = '\0';
	for (int digit = 0; digit < 4 || ms; digit++, ms /= 10) {
		if (digit == 3)
			*--at = '.';
		*--at = (char)('0' + ms % 10);
	}
	append(t, past ? "-" : "in ");
	append(t, at);
	append(t, "s");
}

static void append_one(struct text *t, const leat_ctx *c)
{
	const leat_ctx_key *key = c->leat__key;

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
		append(t, ".WithDeadline(");
		append_seconds(t, c->leat__at, t->now_ns);
		append(t, ")");
		break;
	case LEAT__CTX_VALUE:
		append(t, ".WithValue(");
		append(t, key->name ? key->name : "?");
		append(t, ")");
		break;
	case LEAT__CTX_WITHOUT_CANCEL:
		append(t, ".WithoutCancel");
		break;
	case LEAT__CTX_CUSTOM:
		append(t, ".");
		append(t, leat__custom_name(c));
		break;
	case LEAT__CTX_SIGNAL:
		append(t, ".WithSignal");
		break;
	case LEAT__CTX_SCOPE:
		append(t, c->leat__parent ? ".scope" : "scope");
		break;
	}
}

size_t leat_ctx_string(leat_any_ctx ctx, char *text, size_t bytes)
{
	struct text t = {NULL, bytes, 0, leat__clock()};
	size_t length, end;

	for (const leat_ctx *c = ctx.leat__ctx; c; c = c->leat__parent)
		append_one(&t, c);
	length = end = t.at;
	if (bytes == 0)
		return length;
	text[length < bytes ? length : bytes - 1] = '\0';
	for (const leat_ctx *c = ctx.leat__ctx; c; c = c->leat__parent) {
		t.to = NULL;
		t.at = 0;
		append_one(&t, c);
		end -= t.at;
		t.to = text;
		t.at = end;
		if (end + 1 < bytes)
			append_one(&t, c);
	}
	return length;
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

/* Cancel c, so that no watch is left, and end it. */
static void end(leat_ctx *c)
{
	struct leat__m *m;

	if (c->leat__source == c) {
		leat__ctx_free_timer(c); /* first: then the cancel need not look for it */
		m = leat__enter();
		leat__ctx_cancel(m, c, -ECANCELED, NULL);
		leat__leave(m);
	}
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
	if (__atomic_load_n(&c->leat__below, __ATOMIC_RELAXED))
		leat__panic_runtime("ctx_free: contexts below it live on");
	disown(c);
	end(c);
}

void leat__ctx_free_owned(leat_ctx *scope)
{
	leat_ctx *c;

	while ((c = scope->leat__owned)) {
		if (c->leat__below) /* by a scope: contexts would have come before it */
			leat__fatal("a scope ended while a scope below it lived on");
		scope->leat__owned = c->leat__owned;
		if (c->leat__owned)
			c->leat__owned->leat__owned_prev = NULL;
		end(c);
	}
}
