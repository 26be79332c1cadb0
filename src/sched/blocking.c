/* SPDX-License-Identifier: MIT */
/*
 * Announced blocking calls.
 *
 * A thread in an announced call is outside the runtime like any other in the program's code, and keeps
 * its processor by the same protocol (machine.h).  The announcement only tells the monitor not to
 * wait for proof: m->announced holds 1 + the tick of the processor at the beginning, so it is void as
 * soon as another goroutine runs there, without anybody having to withdraw it: when the goroutine
 * parks, panics, or ends in the middle.  The monitor takes the processor only if the announcement still
 * stands after its request and a heavy fence; at the end it is withdrawn, and then a request is looked for
 * (the fence orders the two).  So nobody loses it after the end.
 *
 * Handing the processor over at once costs two wake-ups of a thread, some 50 us in all; not doing so
 * costs those who wait until the monitor looks, up to half a millisecond.  So it is handed over if
 * somebody waits and the last calls here were worth it: a call that ended within BRIEF_US after a
 * hand-over was not, one whose processor the monitor took was.
 */
#include "sched/policy.h"
#include "sched/scheduler.h"

#include <leat/blocking.h>

#include <errno.h>

#define BRIEF_US  50
#define BRIEF_MAX 2 /* brief calls in a row after which none is handed over */

/* In the runtime; leaves it. */
static NOINLINE bool hand_over(struct leat__m *m)
{
	struct leat__p *p = m->p;
	bool gone = false;

	if (load_relaxed(&p->next) || !load_relaxed(&leat__sched.idle)) {
		leat__lock(&leat__sched.lock);
		leat__start_machine(leat__detach(m, false), false);
		gone = true;
	} else {
		leat__wake(); /* what waits can be stolen */
	}
	leat__leave(m);
	return gone;
}

leat_blocking_call leat_blocking_begin(void)
{
	leat_blocking_call call = {0};
	struct leat__m *m = leat__self();
	struct leat__p *p;
	uint32_t announced;

	if (unlikely(!m || m->foreign))
		return call;
	m = leat__enter();
	p = m->p;
	announced = load_relaxed(&p->tick) + 1;
	if (load_relaxed(&m->announced) == announced) /* else it is void, and perhaps another's */
		call.leat__outer = announced;
	store_relaxed(&m->announced, announced);
	if (unlikely(leat__work_waits(p)) && p->brief_calls < BRIEF_MAX && !leat__policy) {
		int saved = errno;

		if (hand_over(m))
			call.leat__began = leat__ticks();
		errno = saved;
	} else {
		leat__leave(m);
	}
	return call;
}

/* Its processor is gone, or asked for: get one, or let the others go first. */
static NOINLINE void leat__return_from_call(const leat_blocking_call *call)
{
	uint64_t end = leat__ticks();
	int saved = errno;
	struct leat__m *m = leat__enter();
	struct leat__p *p = m->p;

	if (!call->leat__began || end - call->leat__began > BRIEF_US * leat__sched.ticks_per_us)
		p->brief_calls = 0;
	else
		p->brief_calls++;
	if (call->leat__outer)
		store_relaxed(&m->announced, load_relaxed(&p->tick) + 1);
	leat__leave(m);
	errno = saved;
}

void leat_blocking_end(const leat_blocking_call *call)
{
	struct leat__m *m = leat__self();

	if (unlikely(!m || m->foreign))
		return;
	store_relaxed(&m->announced, call->leat__outer);
	leat__fence_light();
	if (unlikely(load_relaxed(&m->retake) & (LEAT__RETAKE_TAKEN | LEAT__RETAKE_REQUESTED)))
		leat__return_from_call(call);
}
