/* SPDX-License-Identifier: MIT */
/*
 * The global queue: goroutines that no processor has, first in, first out.  Plain threads put theirs
 * here, as do goroutines that lost their processor, and processors whose own queues are full.
 *
 * Invariant (scheduler's lock): queued is the length of the list from queue to queue_last.
 */
#include "sched/scheduler.h"

/* Locked. */
static void global_append(struct leat__g *first, struct leat__g *last, size_t n)
{
	struct leat__sched *s = &leat__sched;

	last->next = NULL;
	if (s->queue_last)
		s->queue_last->next = first;
	else
		s->queue = first;
	s->queue_last = last;
	store_relaxed(&s->queued, load_relaxed(&s->queued) + n);
}

void leat__global_append(struct leat__g *g)
{
	global_append(g, g, 1);
}

void leat__global_put(struct leat__g *first, struct leat__g *last, size_t n)
{
	leat__lock(&leat__sched.lock);
	global_append(first, last, n);
	if (leat__sched.idle_p) {
		struct leat__p *p = leat__idle_take();

		leat__start_machine(p, false);
		return;
	}
	leat__unlock(&leat__sched.lock);
}

/* The first of the queue, and p's share of the rest into its ring, at most max in all.  Locked. */
struct leat__g *leat__global_get(struct leat__p *p, size_t max)
{
	struct leat__sched *s = &leat__sched;
	struct leat__g *g = s->queue, *rest;
	size_t n = load_relaxed(&s->queued) / (size_t)s->procs + 1, taken = 1;

	if (!g)
		return NULL;
	if (n > max)
		n = max;
	/* Read before put: once in the ring a goroutine may be taken, and linked elsewhere. */
	for (rest = g->next; rest && taken < n; taken++) {
		struct leat__g *after = rest->next;

		if (!leat__ring_try_put(p, rest))
			break;
		rest = after;
	}
	s->queue = rest;
	if (!rest)
		s->queue_last = NULL;
	store_relaxed(&s->queued, load_relaxed(&s->queued) - taken);
	return g;
}

struct leat__g *leat__global_take(struct leat__p *p, size_t max)
{
	struct leat__g *g;

	if (!load_relaxed(&leat__sched.queued))
		return NULL;
	leat__lock(&leat__sched.lock);
	g = leat__global_get(p, max);
	leat__unlock(&leat__sched.lock);
	return g;
}

/* g waits for its own thread's turn, and that thread sleeps. */
static bool has_thread(const struct leat__g *g)
{
	return (g->special & (LEAT__LOCKED | LEAT__STOPPED)) && !g->thread->p;
}

struct leat__g *leat__own_thread_take(struct leat__p *p)
{
	struct leat__sched *s = &leat__sched;
	struct leat__g *g = load_relaxed(&p->next), *before = NULL;

	if (g && has_thread(g)) {
		store_relaxed(&p->next, NULL);
		return g;
	}
	/* Nobody holds p, so the caller is its owner; what was taken out finds room again. */
	for (int i = 0; i < LEAT__RING && (g = leat__ring_get(p)); i++) {
		if (has_thread(g))
			return g;
		leat__ring_try_put(p, g);
	}
	for (g = s->queue; g && !has_thread(g); g = g->next)
		before = g;
	if (!g)
		return NULL;
	if (before)
		before->next = g->next;
	else
		s->queue = g->next;
	if (s->queue_last == g)
		s->queue_last = before;
	store_relaxed(&s->queued, load_relaxed(&s->queued) - 1);
	return g;
}
