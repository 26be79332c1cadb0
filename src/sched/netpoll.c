/* SPDX-License-Identifier: MIT */
/*
 * Who looks into the poller, and how what is found ready gets into the run queues.
 *
 *  - The keeper (work.c) sleeps in the poller, from its first use on, until the first timer.  Who gives
 *    it a processor, or arms an earlier timer, interrupts it: under the scheduler's lock keeper_polls
 *    says which way to wake it, so none of the two is missed.
 *  - Who runs out of work looks without sleeping, and so does, every so many decisions, who does not,
 *    unless the keeper sleeps there: it will be quicker.
 *  - The monitor looks when nobody has for a millisecond, and sends an idle thread there.
 *
 * Nothing of this happens before the first descriptor is waited for, and little while none is.
 */
#include "sched/netpoll.h"

#include "sched/panic.h"
#include "sched/polldesc.h"
#include "sched/uring.h"

#define BATCHES    2 /* of LEAT__OS_BATCH events at a time */
#define OVERSEE_US 1000
#define GIVES_US   1000

_Atomic int leat__poll_waiters;

static uint8_t start_lock;
static _Atomic bool started;
static _Atomic uint64_t looked_at; /* ticks */
static _Atomic uint64_t gave_at;   /* likewise */

bool leat__netpoll_started(void)
{
	return load_acquire(&started);
}

int leat__netpoll_start(void)
{
	int err = 0;

	if (likely(load_acquire(&started)))
		return 0;
	leat__lock(&start_lock);
	if (!load_relaxed(&started)) {
		err = leat__os_poller_open();
		if (!err)
			store_release(&started, true);
	}
	leat__unlock(&start_lock);
	if (!err)
		leat__netpoll_attend(); /* the keeper may be asleep elsewhere */
	return err;
}

void leat__netpoll_drop(void)
{
	store_relaxed(&leat__poll_waiters, 0);
	start_lock = 0;
	leat__uring_drop();
	if (load_relaxed(&started))
		leat__os_poller_drop();
	store_relaxed(&started, false);
}

/* --- who sleeps in the poller */

void leat__rouse(struct leat__m *m)
{
	uint32_t asleep = 0;

	if (cas_acq_rel(&m->wake, &asleep, 2))
		leat__wake_machine(m, leat__in_poller(m));
}

void leat__rouse_keeper(void)
{
	if (leat__sched.keeper)
		leat__rouse(leat__sched.keeper);
}

void leat__netpoll_attend(void)
{
	leat__lock(&leat__sched.lock);
	if (!leat__sched.keeper && leat__sched.idle_p) {
		leat__start_machine(leat__idle_take(), false); /* it will find nothing to do */
		return;
	}
	if (!load_relaxed(&leat__sched.keeper_polls))
		leat__rouse_keeper();
	leat__unlock(&leat__sched.lock);
}

/* --- what is found ready */

void leat__ready_list_add(struct leat__m *m, struct leat__ready_list *list, struct leat__g *g)
{
	if (unlikely(load_relaxed(&g->kind) == LEAT__THREAD)) {
		leat__ready(m, g, false);
		leat__poll_awake(1);
		return;
	}
	g->next = NULL;
	if (list->last)
		list->last->next = g;
	else
		list->first = g;
	list->last = g;
	list->n++;
}

static void collect(struct leat__m *m, bool block, int64_t deadline_ns,
                    struct leat__ready_list *ready)
{
	const struct leat__os_event *events = m->edges.events;
	int n = LEAT__OS_BATCH;

	for (int batch = 0; batch < BATCHES && n == LEAT__OS_BATCH; batch++) {
		n = leat__os_poller_collect(&m->edges, block && batch == 0, deadline_ns);
		if (unlikely(n < 0))
			leat__fatal("the poller's descriptor was closed; is it in the way of a closefrom?");
		for (int i = 0; i < n; i++)
			if (unlikely(events[i].token == LEAT__URING_TOKEN))
				leat__uring_edge(m, ready);
			else
				leat__pd_edge(m, events[i].token, events[i].ready, ready);
	}
	store_relaxed(&looked_at, leat__ticks());
}

void leat__netpoll_block(struct leat__m *m, int64_t deadline_ns, struct leat__ready_list *ready)
{
	/* Since keeper_polls was set, who wakes m interrupts; before, it left its mark. */
	if (load_acquire(&m->wake) == 0)
		collect(m, true, deadline_ns, ready);
}

void leat__netpoll_inject(struct leat__m *m, struct leat__ready_list *ready)
{
	struct leat__g *g = ready->first, *next;
	int n = ready->n;

	if (!n)
		return;
	store_relaxed(&gave_at, leat__ticks());
	if (m->p) {
		/* A single one that runs next needs no other processor. */
		bool soon = n == 1 && !load_relaxed(&m->p->next);

		for (; g; g = next) {
			next = g->next;
			leat__ready(m, g, soon);
		}
	} else {
		for (; g; g = g->next)
			store_relaxed(&g->wait, LEAT__RUNNABLE);
		leat__urgent_put(ready->first, ready->last, (size_t)n);
		if (n > 1)
			leat__wake_now();
	}
	*ready = (struct leat__ready_list){0};
	leat__poll_awake(n);
}

bool leat__netpoll_gives(void)
{
	return load_relaxed(&leat__poll_waiters) &&
	       leat__ticks() - load_relaxed(&gave_at) < GIVES_US * leat__sched.ticks_per_us;
}

bool leat__netpoll_look(struct leat__m *m, int64_t gap_us)
{
	struct leat__ready_list ready = {0};
	bool any;

	if (load_relaxed(&leat__sched.keeper_polls))
		return false;
	if (gap_us &&
	    leat__ticks() - load_relaxed(&looked_at) < (uint64_t)gap_us * leat__sched.ticks_per_us)
		return false;
	collect(m, false, 0, &ready);
	any = ready.n > 0;
	leat__netpoll_inject(m, &ready);
	return any;
}

bool leat__netpoll_oversee(struct leat__m *self)
{
	if (likely(!load_relaxed(&leat__poll_waiters)) || load_relaxed(&leat__sched.keeper_polls))
		return false;
	if (leat__ticks() - load_relaxed(&looked_at) >= OVERSEE_US * leat__sched.ticks_per_us) {
		leat__netpoll_attend();
		leat__netpoll_look(self, 0);
	}
	return true;
}
