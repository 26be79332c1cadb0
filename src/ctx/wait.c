/* SPDX-License-Identifier: MIT */
/*
 * Waits that a context may end.
 *
 * The waiter queues first, then the watch is set.  A grant and the context's end both fire the claim, by
 * compare-and-swap; the one who does readies the goroutine.  If the context is found done when the watch is
 * to be set, the goroutine fires the claim itself, or else it was granted, and is about to be readied: it
 * parks, and that comes.
 *
 * fired tells which of the two it was.  It is written after the claim and before the ready, so the
 * goroutine reads it in order once it resumes.
 */
#include "ctx/wait.h"

struct ending {
	struct leat__watch watch;
	struct leat__g *g;
};

static bool fire(struct leat__g *g)
{
	uint32_t armed = LEAT__ARMED;

	return cas_acq_rel(&g->claim, &armed, LEAT__FIRED);
}

static void ctx_is_done(struct leat__m *m, struct leat__watch *w)
{
	struct leat__g *g = container_of(w, struct ending, watch)->g;

	if (fire(g)) {
		g->fired = NULL;
		leat__ready(m, g, false);
	}
}

struct leat__m *leat__await_ctx(struct leat__m *m, leat_ctx *ctx, int *err)
{
	leat_ctx *source = ctx ? ctx->leat__source : NULL;
	struct leat__g *me = m->g;
	struct ending e = {.watch.done = ctx_is_done, .g = me};

	*err = 0;
	if (!source)
		return leat__park(m);
	if (leat__ctx_watch(source, &e.watch)) {
		m = leat__park(m);
		leat__ctx_unwatch(source, &e.watch);
	} else if (fire(me)) {
		leat__park_as(me, LEAT__RUNNABLE);
		me->fired = NULL;
	} else {
		m = leat__park(m);
	}
	store_relaxed(&me->claim, LEAT__UNARMED);
	if (!me->fired)
		*err = leat__ctx_err(source);
	return m;
}
