/* SPDX-License-Identifier: MIT */
/* The rare halves of the run queues; the protocol is argued in the header. */
#include "sched/processor.h"

#include "sched/scheduler.h"

COLD void leat__ring_overflow(struct leat__p *p, struct leat__g *g)
{
	struct leat__g **batch = p->scratch;
	const uint32_t n = LEAT__RING / 2;

	/* While it is full, take the older half as a thief would.  Once thieves have made room there may be
	   fewer than half in it, and a head beyond the tail would make a ring of what it held before. */
	while (!leat__ring_try_put(p, g)) {
		uint32_t head = load_acquire(&p->head);

		if (load_relaxed(&p->tail) - head < LEAT__RING)
			continue;
		for (uint32_t i = 0; i < n; i++)
			batch[i] = load_relaxed(&p->ring[(head + i) % LEAT__RING]);
		if (!cas_acq_rel(&p->head, &head, head + n))
			continue;
		batch[n] = g;
		for (uint32_t i = 0; i < n; i++)
			batch[i]->next = batch[i + 1];
		leat__global_put(batch[0], g, n + 1);
		return;
	}
}

COLD void leat__deque_overflow(struct leat__p *p)
{
	struct leat__g *first = NULL, *last = NULL, *g;
	size_t n = 0;

	while (n < LEAT__DEQUE / 2 && (g = leat__deque_steal(p, true))) {
		if (last)
			last->next = g;
		else
			first = g;
		last = g;
		n++;
	}
	if (n)
		leat__global_put(first, last, n);
}

struct leat__g *leat__ring_steal(struct leat__p *p, struct leat__p *victim, uint32_t limit)
{
	struct leat__g *batch[LEAT__RING / 2];
	uint32_t head = load_acquire(&victim->head), tail;
	int32_t n;

	do {
		n = (int32_t)(limit - head);
		n -= n / 2;
		/* A stale pair of head and limit can look like more than there can be. */
		if (n <= 0 || n > LEAT__RING / 2)
			return NULL;
		for (int32_t i = 0; i < n; i++)
			batch[i] = load_relaxed(&victim->ring[(head + (uint32_t)i) % LEAT__RING]);
	} while (!cas_acq_rel(&victim->head, &head, head + (uint32_t)n));

	tail = load_relaxed(&p->tail);
	for (int32_t i = 1; i < n; i++)
		store_relaxed(&p->ring[tail++ % LEAT__RING], batch[i]);
	store_release(&p->tail, tail);
	return batch[0];
}

struct leat__g *leat__deque_steal(struct leat__p *victim, bool owner)
{
	int64_t top = load_acquire(&victim->top), bottom;
	struct leat__g *g;

	if (!owner) {
		if (top >= load_relaxed(&victim->bottom))
			return NULL; /* nothing worth a fence */
		fence_seq_cst(); /* between the looks at top and at offered and bottom */
		if (load_acquire(&victim->offered) <= top)
			leat__fence_heavy();
	}
	bottom = load_acquire(&victim->bottom);
	if (top >= bottom)
		return NULL;
	g = load_relaxed(&victim->deque[top % LEAT__DEQUE]);
	if (!cas_acq_rel(&victim->top, &top, top + 1))
		return NULL;
	return g;
}
