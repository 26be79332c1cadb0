/* SPDX-License-Identifier: MIT */
/*
 * Select.
 *
 * First pass: look at every channel without its lock, choose a ready case at random, lock that one
 * channel and try.  A look may be wrong either way, so
 *  - a choice that fails is struck off and another made;
 *  - "nothing is ready" is good enough to go on to wait, but not to take the default, since at every
 *    instant some case may have been ready: for that all channels are locked, in address order, and
 *    looked at together.
 *
 * To wait, the goroutine arms its claim and queues on one channel after the other, never holding two
 * locks.  Whoever wants to serve one of its waiters must first change the claim from ARMED to FIRED.
 * If a channel turns out to be ready while queueing, the goroutine takes its own claim back, still
 * holding that channel's lock, performs the operation, and is done; if the claim was fired meanwhile,
 * that one counts.  When it resumes it takes its other waiters off their queues.
 *
 * Two selects that meet on two channels could take back their claims for each other's sake for ever.
 * They do not, since all queue in address order: of any set of selects that find each other's
 * waiters, each would have to have queued on a channel above the one where it looks now.
 *
 * Cases on the same channel are queued in random order, else the first of them would win each time.
 * A goroutine's own waiters are skipped when it looks whether a channel is ready: a send and a receive
 * on one channel in one select do not pair with each other.
 *
 * A case may wait for a cond (sync/cond.c), whose queue is that of a channel on which nobody ever sends: to
 * look at it finds nothing ready, and to queue there is like any other receive.  Once the select has queued
 * on all, just before it parks, it unlocks the mutex of that case, in the runtime, since by then it may have
 * been readied; it locks it again, outside, when all is over.  Where it is served earlier the mutex stays
 * locked.
 *
 * Rejected: locking all channels always (Go): 4 locked instructions more per select over 4; asking
 * every queue twice to spare the order: livelocks.
 */
#include "chan/alarm.h"
#include "chan/select.h"
#include "sched/panic.h"
#include "sched/policy.h"
#include "sched/timer.h"

#include <stdlib.h>

#define INLINE_CASES LEAT__SELECT_CASES

struct select_timer {
	struct leat__timer timer;
	struct leat__g *g;
};

enum {
	NONE = LEAT_SELECT_NONE,
	AGAIN = LEAT__SELECT_AGAIN,
	SEND_ON_CLOSED = LEAT__SELECT_CLOSED,
	WAITING = -4,
	FREED = -5
};

/* --- looking */

/* A timed channel looks ready always: is it too early for a receive?  Locked. */
static bool too_early(const leat_case *k)
{
	return k->chan->special & LEAT__TIMED_CHAN && k->dir == LEAT_RECV &&
	       !leat__alarm_due(k->chan->alarm);
}

int leat__select_perform(struct leat__m *m, const leat_case *k, bool *ok)
{
	enum leat__outcome outcome;

	if (k->dir == LEAT_SEND)
		outcome = leat__send_locked(m, k->chan, k->value, true);
	else
		outcome = leat__recv_locked(m, k->chan, k->value, true);
	if (outcome == LEAT__DONE) {
		*ok = true;
		return 0;
	}
	if (outcome == LEAT__CLOSED && k->dir == LEAT_RECV) {
		*ok = false;
		return 0;
	}
	leat__chan_unlock(m, k->chan);
	return outcome == LEAT__CLOSED ? SEND_ON_CLOSED : AGAIN;
}

/* The same for case i of s; i if it happened. */
static int perform(struct leat__m *m, const struct selection *s, size_t i)
{
	int r = leat__select_perform(m, &s->cases[i], s->ok);

	return r == 0 ? (int)i : r;
}

/* What a select meets most: a receive from one who waits in a plain send.  k's channel is locked, and
   unlocked if so. */
static ALWAYS_INLINE bool serve_plainly(struct leat__m *m, const leat_case *k, bool *ok)
{
	leat_chan *c = k->chan;
	struct leat__waiter *w = c->senders.first;
	struct leat__g *g;

	if (k->dir != LEAT_RECV || !w || w->special || c->count || unlikely(leat__sanitizers))
		return false;
	leat__waiters_remove(&c->senders, w);
	if (k->value)
		leat__copy(k->value, w->elem, c->elem_bytes);
	g = w->g;
	w->ok = true;
	leat__chan_unlock(m, c);
	*ok = true;
	if (unlikely(!m->p)) {
		leat__ready(m, g, true);
		return true;
	}
	leat__select_note(m->p);
	if (unlikely(!leat__try_ready_next(m->p, g)))
		leat__ready(m, g, true);
	return true;
}

/* Try the cases from base on, at most 64, that look ready, in random order; AGAIN when none was. */
static ALWAYS_INLINE int try_some(struct leat__m *m, const struct selection *s, size_t base,
                                  size_t width)
{
	const leat_case *cases = s->cases + base;
	uint64_t ready = 0;

	for (size_t i = width; i-- > 0;)
		ready = 2 * ready + leat__select_looks_ready(&cases[i]);
	while (ready) {
		uint64_t rest = ready;
		uint32_t others = 0;
		size_t i;
		int r;

		while (rest &= rest - 1)
			others++;
		rest = ready;
		for (others = leat__choose(m->p, LEAT__CHOOSE_CASE, others + 1); others > 0; others--)
			rest &= rest - 1;
		i = (size_t)__builtin_ctzll(rest);
		leat__chan_lock(m, cases[i].chan);
		if (likely(serve_plainly(m, &cases[i], s->ok)))
			return (int)(base + i);
		r = perform(m, s, base + i);
		if (r != AGAIN)
			return r;
		ready &= ~(UINT64_C(1) << i);
	}
	return AGAIN;
}

static NOINLINE int leat__try_ready(struct leat__m *m, const struct selection *s)
{
	int r = AGAIN;

	for (size_t base = 0; base < s->n && r == AGAIN; base += 64)
		r = try_some(m, s, base, s->n - base < 64 ? s->n - base : 64);
	return r;
}

/* With more than 64 cases, chunks must not have an order: choose one ready case among all first. */
static NOINLINE int leat__try_ready_many(struct leat__m *m, const struct selection *s)
{
	uint32_t ready = 0;
	size_t chosen = 0;
	int r;

	for (size_t i = 0; i < s->n; i++)
		if (leat__select_looks_ready(&s->cases[i]) &&
		    leat__choose(m->p, LEAT__CHOOSE_CASE, ++ready) == 0)
			chosen = i;
	if (!ready)
		return AGAIN;
	leat__chan_lock(m, s->cases[chosen].chan);
	r = perform(m, s, chosen);
	return r == AGAIN ? leat__try_ready(m, s) : r;
}

/* --- the default, exactly */

/* Unlock the channels of the first so many cases in order. */
static void unlock_all(struct leat__m *m, const struct selection *s, size_t n)
{
	const leat_chan *last = NULL;

	for (size_t i = 0; i < n; i++) {
		leat_chan *c = s->cases[s->order[i]].chan;

		if (c != last)
			leat__chan_unlock(m, c);
		last = c;
	}
}

/* Lock every channel, once each, in address order; look again; unlock.  */
static int try_all(struct leat__m *m, struct selection *s)
{
	const leat_chan *last = NULL;
	bool ready = false;

	for (size_t i = 0; i < s->ordered; last = s->cases[s->order[i++]].chan)
		if (s->cases[s->order[i]].chan != last &&
		    unlikely(!leat__chan_lock_alive(m, s->cases[s->order[i]].chan))) {
			unlock_all(m, s, i);
			return FREED;
		}
	for (size_t i = 0; i < s->ordered && !ready; i++)
		ready =
		    leat__select_looks_ready(&s->cases[s->order[i]]) && !too_early(&s->cases[s->order[i]]);
	unlock_all(m, s, s->ordered);
	if (!ready)
		return NONE;
	return leat__try_ready(m, s);
}

/* --- waiting */

void (*leat__select_unlock)(struct leat__m *m, void *mutex);
void (*leat__select_relock)(void *mutex);

/* How far a select that queues has looked through the queues of one channel: the waiters up to these,
   which are still queued, are all its own.  Without it n cases on one channel take n * n steps. */
struct looked {
	const leat_chan *c;
	struct leat__waiter *senders, *receivers;
};

/* Is there anyone but g's own select whom the case could be served by?  Locked. */
static bool others_ready(const leat_case *k, const struct leat__g *g, struct looked *l)
{
	const leat_chan *c = k->chan;
	const struct leat__waiters *q = k->dir == LEAT_SEND ? &c->receivers : &c->senders;
	struct leat__waiter **own = k->dir == LEAT_SEND ? &l->receivers : &l->senders, *w;

	if (unlikely(c->special))
		return !too_early(k);
	if (k->dir == LEAT_SEND ? c->count < c->cap : c->count > 0)
		return true;
	if (l->c != c)
		*l = (struct looked){.c = c};
	for (w = *own && (*own)->queued ? (*own)->next : q->first; w; w = w->next)
		if (w->g != g)
			return true;
	*own = q->last;
	return false;
}

static struct leat__waiters *queue_of(const leat_case *k)
{
	return k->dir == LEAT_SEND ? &k->chan->senders : &k->chan->receivers;
}

/* Take the first so many waiters, in order, off their queues. */
static void withdraw(struct leat__m *m, const struct selection *s, size_t queued,
                     const struct leat__waiter *fired)
{
	for (size_t i = 0; i < queued; i++) {
		const leat_case *k = &s->cases[s->order[i]];
		struct leat__waiter *w = &s->waiters[s->order[i]];

		/* The one that fired was taken off, by one who may have freed the channel since.  A freed
		   one, which is a bug, has no queue any more. */
		if (w != fired && likely(leat__chan_lock_alive(m, k->chan))) {
			if (w->queued)
				leat__waiters_remove(queue_of(k), w);
			leat__chan_unlock(m, k->chan);
		}
		if (unlikely(leat__sanitizers & LEAT__TSAN))
			leat__san_waited(w, w == fired);
		if (unlikely(w->timed))
			leat__alarm_unawait(k->chan->alarm, w == fired);
	}
}

/* Take back the claim; false when someone fired it. */
static bool disarm(struct leat__g *g)
{
	uint32_t armed = LEAT__ARMED;

	return cas_acq_rel(&g->claim, &armed, LEAT__UNARMED);
}

/* While queueing case i is ready, its channel locked, or freed: be served there, or by who fired the claim. */
static int serve_instead(struct leat__m *m, const struct selection *s, size_t i, size_t queued,
                         bool freed)
{
	int r = FREED;

	if (!disarm(m->g)) {
		if (!freed)
			leat__chan_unlock(m, s->cases[i].chan);
		return WAITING;
	}
	if (!freed)
		r = perform(m, s, i);
	withdraw(m, s, queued, NULL);
	return r;
}

/* Queue on every channel; WAITING, or what came of a case that was ready.  Sets mutex if it queued on all. */
static int enqueue(struct leat__m *m, struct selection *s, size_t *queued)
{
	struct leat__g *me = m->g;
	struct looked looked = {0};
	void *mutex = NULL;

	store_relaxed(&me->claim,
	              LEAT__ARMED); /* ordered before others see it by the channels' locks */
	for (size_t i = 0; i < s->ordered; i++) {
		uint32_t at = s->order[i];
		const leat_case *k = &s->cases[at];
		struct leat__waiter *w = &s->waiters[at];
		bool freed = !leat__chan_lock_alive(m, k->chan);

		if (unlikely(freed) || unlikely(others_ready(k, me, &looked)))
			return serve_instead(m, s, at, i, freed);
		*w = (struct leat__waiter){.g = me,
		                           .elem = k->value,
		                           .index = at,
		                           .special = LEAT__SELECTING,
		                           .timed = (k->chan->special & LEAT__TIMED_CHAN) != 0};
		if (unlikely(leat__sanitizers & LEAT__TSAN))
			leat__san_waits(k->chan, w);
		leat__waiters_add(queue_of(k), w);
		*queued = i + 1;
		leat__chan_unlock(m, k->chan);
		if (unlikely(w->timed))
			leat__alarm_await(m, k->chan->alarm);
		if (unlikely(k->dir == LEAT__COND_CASE))
			mutex = k->value;
	}
	s->mutex = mutex;
	return WAITING;
}

static void select_timeout(struct leat__m *m, struct leat__timer *t)
{
	struct leat__g *g = container_of(t, struct select_timer, timer)->g;
	uint32_t armed = LEAT__ARMED;

	if (cas_acq_rel(&g->claim, &armed, LEAT__FIRED)) {
		g->fired = NULL;
		leat__ready_due(m, g);
	}
}

/* The select was fired: finish it. */
static int finish(struct leat__m *m, const struct selection *s, size_t queued)
{
	struct leat__g *me = m->g;
	struct leat__waiter *fired = me->fired;

	store_relaxed(&me->claim, LEAT__UNARMED);
	withdraw(m, s, queued, fired);
	if (!fired)
		return NONE;
	*s->ok = fired->ok;
	if (!fired->ok && s->cases[fired->index].dir == LEAT_SEND)
		return SEND_ON_CLOSED;
	return (int)fired->index;
}

/* Wait until a case was served, or until that instant. */
static struct leat__m *leat__select_wait(struct leat__m *m, struct selection *s, int64_t until,
                                         int *result)
{
	struct leat__g *me = m->g;
	struct select_timer t = {.timer.fire = select_timeout, .g = me};
	size_t queued = 0;
	int r;

	leat__park_as(me,
	              s->ordered || until != INT64_MAX ? LEAT__WAIT_SELECT : LEAT__WAIT_SELECT_NONE);
	r = enqueue(m, s, &queued);
	if (r != WAITING) {
		leat__park_as(me, LEAT__RUNNABLE);
		*result = r;
		return m;
	}
	if (until != INT64_MAX) {
		t.timer.when = until;
		if (leat__timer_add(&t.timer) != 0) {
			/* Without memory for the timer the wait cannot be bounded: give it up, if nothing
			   came in the meantime. */
			if (disarm(me)) {
				leat__park_as(me, LEAT__RUNNABLE);
				withdraw(m, s, queued, NULL);
				leat__leave(m);
				leat__panic_runtime("out of memory");
			}
		}
	}
	/* From here on it parks, and does not come back to try again. */
	if (unlikely(s->mutex != NULL))
		leat__select_unlock(m, s->mutex);
	m = leat__park(m);
	if (until != INT64_MAX)
		leat__timer_stop(&t.timer);
	*result = finish(m, s, queued);
	return m;
}

/* --- the array form */

size_t leat__select_room_bytes(size_t n)
{
	return n * (sizeof(struct leat__waiter) + sizeof(uint32_t));
}

/* Of room for n waiters and their order. */
static void use_room(struct selection *s, void *room)
{
	s->waiters = room;
	s->order = (uint32_t *)(s->waiters + s->n);
}

/* Room beyond what fits on the stack. */
static void allocate(struct selection *s)
{
	void *p = malloc(leat__select_room_bytes(s->n));

	if (!p)
		leat__panic_runtime("out of memory");
	use_room(s, p);
	s->cleanup = (leat__record){.fn = free, .arg = p};
	leat__record_push(&s->cleanup);
}

static bool any_timed(const struct selection *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->cases[i].chan && unlikely(s->cases[i].chan->special & LEAT__TIMED_CHAN))
			return true;
	return false;
}

/* Nothing was ready: let those go first that selects served, and try once more.  */
static struct leat__m *leat__let_served(struct leat__m *m, const struct selection *s, int *result)
{
	uint32_t served = leat__select_served(m->p);
	struct leat__m *later;

	if (!served || any_timed(s))
		return m;
	later = leat__yield_to(m, served);
	if (!later)
		return m;
	*result = s->n > 64 ? leat__try_ready_many(later, s) : leat__try_ready(later, s);
	return later;
}

/* Nothing was ready: wait, or make sure that nothing is.  */
static NOINLINE int leat__select_slow(struct leat__m *m, struct selection *s, int64_t timeout_ns)
{
	struct leat__waiter waiters[INLINE_CASES];
	uint32_t order[INLINE_CASES];
	bool large = s->n > INLINE_CASES && !s->room;
	int64_t until = INT64_MAX;
	int r = AGAIN;

	s->mutex = NULL;
	if (timeout_ns > 0 && timeout_ns != LEAT_FOREVER) {
		until = leat__deadline(timeout_ns);
	} else if (timeout_ns > 0) {
		m = leat__let_served(m, s, &r);
		if (r != AGAIN) {
			leat__leave(m);
			return r;
		}
	}
	if (s->room) {
		use_room(s, s->room);
	} else if (large) {
		leat__leave(m);
		allocate(s);
		m = leat__enter();
	} else {
		s->waiters = waiters;
		s->order = order;
	}
	while (r == AGAIN) {
		(s->n > 64 ? leat__select_sort_many : leat__select_sort)(m, s);
		if (timeout_ns <= 0)
			r = try_all(m, s);
		else
			m = leat__select_wait(m, s, until, &r);
	}
	leat__leave(m);
	if (unlikely(s->mutex != NULL))
		leat__select_relock(s->mutex);
	if (large)
		leat__record_leave(&s->cleanup);
	return r;
}

/* leat_select, but that a send on a closed channel is SEND_ON_CLOSED. */
static ALWAYS_INLINE int leat__select_in(const leat_case *cases, size_t n, int64_t timeout_ns,
                                         bool *ok, void *room)
{
	struct selection s;
	bool nobody_asks;
	struct leat__m *m = leat__enter();
	int r;

	s.cases = cases;
	s.n = n;
	s.ok = ok ? ok : &nobody_asks;
	s.room = room;
	if (likely(n <= 64))
		r = try_some(m, &s, 0, n);
	else
		r = leat__try_ready_many(m, &s);
	if (r == AGAIN)
		r = leat__select_slow(m, &s, timeout_ns);
	else
		leat__leave(m);
	if (unlikely(r == FREED))
		leat__panic_runtime(LEAT__USE_OF_FREED);
	return r;
}

static inline int leat__not_closed(int r)
{
	if (unlikely(r == SEND_ON_CLOSED))
		leat__panic_runtime("send on closed channel");
	return r;
}

int leat_select(const leat_case *cases, size_t n, int64_t timeout_ns, bool *ok)
{
	return leat__not_closed(leat__select_in(cases, n, timeout_ns, ok, NULL));
}

int leat__select_not_ready(struct leat__m *m, const leat_case *cases, size_t n, int64_t timeout_ns,
                           bool *ok)
{
	struct selection s;
	int r;

	s.cases = cases;
	s.n = n;
	s.ok = ok;
	s.room = NULL;
	r = leat__select_slow(m, &s, timeout_ns);
	if (unlikely(r == FREED))
		leat__panic_runtime(LEAT__USE_OF_FREED);
	return leat__not_closed(r);
}

int leat__select_offer(const leat_case *cases, size_t n, bool *ok, void *room)
{
	return leat__select_in(cases, n, LEAT_FOREVER, ok, room);
}
