/* SPDX-License-Identifier: MIT */
/*
 * The global queue: goroutines that no processor has, first in, first out.  Plain threads put theirs
 * here, as do goroutines that lost their processor, and processors whose own queues are full.
 *
 * Urgent ones have a list of their own: what somebody readied who has no processor, which is the thread
 * that minds the timers, or the descriptors, while all processors are busy, the monitor, or a plain
 * thread.  In the other list they would wait behind all who merely take turns; a sleeper among 1,000
 * that compute 10 us each was late by 5 ms.  A processor takes one at every other scheduling
 * decision, so neither list starves.
 *
 * Invariants (scheduler's lock)
 *  - queued is the length of both lists, urgents that of the second.
 */
#include "sched/scheduler.h"

/* Locked. */
static void append(struct leat__g_list *list, struct leat__g *first, struct leat__g *last, size_t n)
{
	last->next = NULL;
	if (list->last)
		list->last->next = first;
	else
		list->first = first;
	list->last = last;
	store_relaxed(&leat__sched.queued, load_relaxed(&leat__sched.queued) + n);
}

void leat__global_append(struct leat__g *g)
{
	append(&leat__sched.queue, g, g, 1);
}

/* Somebody who idles takes what was put.  Locked; unlocks. */
static void wake_for_global(void)
{
	if (leat__sched.idle_p)
		leat__start_machine(leat__idle_take(), false);
	else
		leat__unlock(&leat__sched.lock);
}

void leat__global_put(struct leat__g *first, struct leat__g *last, size_t n)
{
	leat__lock(&leat__sched.lock);
	append(&leat__sched.queue, first, last, n);
	wake_for_global();
}

void leat__urgent_put(struct leat__g *first, struct leat__g *last, size_t n)
{
	leat__lock(&leat__sched.lock);
	append(&leat__sched.urgent, first, last, n);
	store_relaxed(&leat__sched.urgents, load_relaxed(&leat__sched.urgents) + n);
	wake_for_global();
}

/* Locked. */
static struct leat__g *urgent_get(void)
{
	struct leat__sched *s = &leat__sched;
	struct leat__g *g = s->urgent.first;

	if (!g)
		return NULL;
	s->urgent.first = g->next;
	if (!g->next)
		s->urgent.last = NULL;
	store_relaxed(&s->urgents, load_relaxed(&s->urgents) - 1);
	store_relaxed(&s->queued, load_relaxed(&s->queued) - 1);
	return g;
}

struct leat__g *leat__urgent_take(void)
{
	struct leat__g *g;

	if (!load_relaxed(&leat__sched.urgents))
		return NULL;
	leat__lock(&leat__sched.lock);
	g = urgent_get();
	leat__unlock(&leat__sched.lock);
	return g;
}

/* The first of the queue, and p's share of the rest into its ring, at most max in all; else an urgent one.
   Locked. */
struct leat__g *leat__global_get(struct leat__p *p, size_t max)
{
	struct leat__sched *s = &leat__sched;
	struct leat__g *g = s->queue.first, *rest;
	size_t n = (load_relaxed(&s->queued) - load_relaxed(&s->urgents)) / (size_t)s->procs + 1;
	size_t taken = 1;

	if (!g)
		return urgent_get();
	if (n > max)
		n = max;
	/* Read before put: once in the ring a goroutine may be taken, and linked elsewhere. */
	for (rest = g->next; rest && taken < n; taken++) {
		struct leat__g *after = rest->next;
		uintptr_t frame = (uintptr_t)__atomic_load_n(&rest->sp, __ATOMIC_RELAXED);

		if (!leat__ring_try_put(p, rest))
			break;
		/* It runs soon, and where so many wait no cache has its stack. */
		__builtin_prefetch((const void *)frame, 1);
		__builtin_prefetch((const void *)(frame + CACHE_LINE), 1);
		__builtin_prefetch((const void *)(frame + 2 * CACHE_LINE), 1);
		rest = after;
	}
	s->queue.first = rest;
	if (!rest)
		s->queue.last = NULL;
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

/* The first of the list that has one.  Locked. */
static struct leat__g *take_with_thread(struct leat__g_list *list)
{
	struct leat__g *g, *before = NULL;

	for (g = list->first; g && !has_thread(g); g = g->next)
		before = g;
	if (!g)
		return NULL;
	if (before)
		before->next = g->next;
	else
		list->first = g->next;
	if (list->last == g)
		list->last = before;
	store_relaxed(&leat__sched.queued, load_relaxed(&leat__sched.queued) - 1);
	return g;
}

struct leat__g *leat__own_thread_take(struct leat__p *p)
{
	struct leat__sched *s = &leat__sched;
	struct leat__g *g = load_relaxed(&p->next);

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
	g = take_with_thread(&s->urgent);
	if (g)
		store_relaxed(&s->urgents, load_relaxed(&s->urgents) - 1);
	return g ? g : take_with_thread(&s->queue);
}
