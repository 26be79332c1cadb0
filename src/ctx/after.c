/* SPDX-License-Identifier: MIT */
/*
 * Functions that start when a context is done: a watch, and a goroutine that waits to be started, so that
 * nothing can fail when it is.
 *
 * Invariants (the lock of the context's tree)
 *  - The watch is on the context's list exactly while state is ARMED.
 */
#include "ctx/ctx.h"

#include "sched/panic.h"

#include <leat/ctx.h>

#include <stdlib.h>

enum { UNUSED, ARMED, STARTED, STOPPED };

struct after {
	struct leat__watch watch;
	leat_ctx *source; /* NULL: it can never be done */
	struct leat__g *g;
	uint8_t state;
};

_Static_assert(sizeof(struct after) <= sizeof(leat_ctx_after), "it has room for it");
_Static_assert(_Alignof(struct after) <= _Alignof(leat_ctx_after), "and lies well");

static struct after *after_of(leat_ctx_after *a)
{
	return (struct after *)(void *)a;
}

static void start(struct leat__m *m, struct leat__watch *w)
{
	struct after *a = container_of(w, struct after, watch);
	struct leat__g *g = a->g;

	__atomic_store_n(&a->state, STARTED, __ATOMIC_RELAXED);
	/* a is the caller's again. */
	leat__g_enroll(m, g);
	leat__ready(m, g, false);
}

void leat_ctx_after_func(leat_any_ctx ctx, leat_ctx_after *after, void (*fn)(void *), void *arg)
{
	leat_ctx *source = ctx.leat__ctx ? ctx.leat__ctx->leat__source : NULL;
	struct after *a = after_of(after);
	struct leat__m *m;

	if (!fn) {
		leat__current();
		leat__fatal("go of nil func value");
	}
	if (source)
		leat__ctx_depend(source);
	m = leat__enter();
	*a = (struct after){.watch.done = start, .source = source, .state = ARMED};
	a->g = leat__g_reserve(m, fn, arg, __builtin_return_address(0));
	if (a->g && source) {
		leat__hb_release(a->g);
		if (!leat__ctx_watch(source, &a->watch))
			start(m, &a->watch);
	}
	leat__leave(m);
	if (!a->g) {
		if (source)
			leat__ctx_undepend(source);
		leat__panic_runtime("out of memory");
	}
}

bool leat_ctx_after_stop(leat_ctx_after *after)
{
	struct after *a = after_of(after);
	struct leat__m *m;
	bool stopped;

	if (!a->g)
		return false;
	m = leat__enter();
	if (a->source)
		stopped = leat__ctx_unwatch(a->source, &a->watch);
	else
		stopped = a->state == ARMED;
	if (stopped) {
		a->state = STOPPED;
		leat__g_unreserve(m, a->g);
	}
	leat__leave(m);
	if (stopped && a->source)
		leat__ctx_undepend(a->source);
	return stopped;
}
