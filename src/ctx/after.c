/* SPDX-License-Identifier: MIT */
/*
 * Functions that start when a context is done: a watch, and a goroutine that waits to be started, so that
 * nothing can fail when it is.  On a context that can never be done it is only noted.
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
	leat__hb_release(g); /* the cancel happens before it, too */
	leat__g_enroll(m, g);
	leat__ready(m, g, false);
}

void leat_ctx_after_func(leat_any_ctx ctx, leat_ctx_after *after, void (*fn)(void *), void *arg)
{
	leat_ctx *source = ctx.leat__ctx ? ctx.leat__ctx->leat__source : NULL;
	struct after *a = after_of(after);
	struct leat__san_nobody nobody;
	struct leat__m *m;
	struct leat__g *g;

	if (!fn) {
		leat__current();
		leat__fatal("go of nil func value");
	}
	*a = (struct after){.watch.done = start, .source = source, .state = ARMED};
	if (!source)
		return;
	leat__ctx_depend(source);
	m = leat__enter();
	g = leat__g_reserve(m, fn, arg, __builtin_return_address(0));
	a->g = g;
	if (g && !leat__ctx_watch(source, &a->watch)) {
		/* On behalf of who cancelled: fn comes after that, the caller need not. */
		leat__san_nobody_begin(&nobody);
		leat__hb_acquire(&source->leat__err);
		start(m, &a->watch);
		leat__san_nobody_end(&nobody);
	}
	leat__leave(m);
	if (!g) {
		leat__ctx_undepend(source);
		leat__panic_runtime("out of memory");
	}
}

bool leat_ctx_after_stop(leat_ctx_after *after)
{
	struct after *a = after_of(after);
	uint8_t armed = ARMED;
	struct leat__m *m;
	bool stopped;

	if (!a->source)
		return __atomic_compare_exchange_n(&a->state, &armed, STOPPED, false, __ATOMIC_RELAXED,
		                                   __ATOMIC_RELAXED);
	m = leat__enter();
	stopped = leat__ctx_unwatch(a->source, &a->watch);
	if (stopped) {
		a->state = STOPPED;
		leat__g_unreserve(m, a->g);
	}
	leat__leave(m);
	if (stopped)
		leat__ctx_undepend(a->source);
	return stopped;
}
