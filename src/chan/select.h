/* SPDX-License-Identifier: MIT */
/* What the files of select share. */
#ifndef LEAT_CHAN_SELECT_H
#define LEAT_CHAN_SELECT_H

#include "chan/chan.h"

#include <leat/select.h>

/* One call of leat_select. */
struct selection {
	const leat_case *cases;
	size_t n;
	bool *ok;
	struct leat__waiter *waiters; /* n of them */
	uint32_t *order;              /* indices of the cases with a channel, by address */
	size_t ordered;
	void *mutex; /* unlocked while it waits, of a case that waits for a cond; mostly NULL */
	leat__record cleanup; /* frees what did not fit on the stack, if a panic passes */
	void *room;           /* the caller's for waiters and their order; NULL: see to it */
};

/* Fill in order: by address, and among cases of one channel at random.  Many: for more than 64 cases. */
void leat__select_sort(struct leat__m *m, struct selection *s);
void leat__select_sort_many(struct leat__m *m, struct selection *s);

/* --- what the general form and the macro's share */

/* Not the number of a case, besides LEAT_SELECT_NONE. */
enum { LEAT__SELECT_AGAIN = -2, LEAT__SELECT_CLOSED = -3 };

/* Would the case be served now?  Without the lock a hint; with it the truth, but for timed channels, and
   if queued waiters of other selects that fired meanwhile are left aside. */
static ALWAYS_INLINE bool leat__select_looks_ready(const leat_case *k)
{
	const leat_chan *c = k->chan;
	uintptr_t ready;

	if (!c)
		return false;
	/* Which of the three it is cannot be predicted, unlike the direction: one branch, not four. */
	if (k->dir == LEAT_SEND)
		ready = (uintptr_t)(__atomic_load_n(&c->count, __ATOMIC_RELAXED) < c->cap) |
		        (uintptr_t)__atomic_load_n(&c->receivers.first, __ATOMIC_RELAXED);
	else
		ready = __atomic_load_n(&c->count, __ATOMIC_RELAXED) |
		        (uintptr_t)__atomic_load_n(&c->senders.first, __ATOMIC_RELAXED);
	return (ready | __atomic_load_n(&c->special, __ATOMIC_RELAXED)) != 0;
}

/* Do what the case says, its channel being locked, and unlock: 0; LEAT__SELECT_CLOSED, for a send on a closed
   channel; or LEAT__SELECT_AGAIN if it would wait. */
int leat__select_perform(struct leat__m *m, const leat_case *k, bool *ok);

/* A select made somebody runnable here. */
static inline void leat__select_note(struct leat__p *p)
{
	uint32_t tick = load_relaxed(&p->tick), same = p->served_tick == tick;

	p->served = (p->served & -same) + 1;
	p->served_tick = tick;
}

/*
 * Nothing is ready: leat__yield_to may let so many others of p go first, if not 0, once.
 *
 * Where none wait for their turn here but those that selects just served, these come first: what they send or want
 * next is soon there, and it costs less than to queue on each channel and off again, which they would have to mind.
 * Others here are none of its business: behind them it would lose its part of a time slice that it shares.  Nor may
 * it come late for an instant: until it is back no timer is set, so none of the channels may be a timed one.
 */
static inline uint32_t leat__select_served(const struct leat__p *p)
{
	return p && p->served_tick == load_relaxed(&p->tick) ? p->served : 0;
}

/* leat_select for who has entered, and found that nothing looks ready. */
int leat__select_not_ready(struct leat__m *m, const leat_case *cases, size_t n, int64_t timeout_ns,
                           bool *ok);

#endif
