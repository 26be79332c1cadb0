/* SPDX-License-Identifier: MIT */
/*
 * Cond: a queue of those who wait.
 *
 * The queue is a channel's, so that a select can wait in it as it does on channels: a cond begins with the
 * first line of an unbuffered channel of empty elements, all zero, whose receivers are the waiters.  Nobody
 * ever sends there or closes it, so no operation of a channel is ever ready on it, and select need know but
 * one thing more: which mutex is to be unlocked as it parks, and locked again (chan/select.c).
 *
 * A wait is in the queue before it lets go of the mutex, so a signal by who had the mutex after it finds it.
 * It is in the runtime all the while: by then somebody may have readied it, and it must not come to want a
 * processor before it has parked.
 *
 * A signal fires the claim of a wait that something else may end, a context or another case: of the two one
 * comes first, and a signal that comes second looks for the next waiter (leat__waiters_take).  Those whom a
 * fork left behind it passes over.
 *
 * Ordering.  A signal looks without the lock whether anybody waits.  A wait of which it must know has
 * unlocked the mutex before, by what the signal was ordered after; so that look sees it, or what came
 * later.  What the signal happens before, for the thread sanitizer, is the return of that wait alone.
 *
 * A broadcast takes all under one lock, and readies them after it.  Whoever comes later waits for that lock,
 * so he is not among them.
 *
 * Lock order: the queue's lock is a channel's; the mutex's inner one is not taken under it.
 */
#include "ctx/wait.h"
#include "sched/panic.h"
#include "sync/mutex.h"

#include <leat/cond.h>

_Static_assert(offsetof(leat_cond, leat__queue) == 0 &&
                   offsetof(struct leat_chan, head) <= sizeof((leat_cond *)0)->leat__queue,
               "what select touches of a channel fits");
_Static_assert(_Alignof(leat_cond) >= _Alignof(struct leat_chan), "and is aligned as one");

static inline struct leat_chan *chan_of(leat_cond *c)
{
	return (struct leat_chan *)c->leat__queue;
}

static LEAT__NORETURN COLD void leat__cond_copied(void)
{
	leat__panic_runtime("sync.Cond is copied");
}

/* Before each use.  The first one writes down where c is. */
static inline void leat__cond_check(leat_cond *c)
{
	void *at = __atomic_load_n(&c->leat__address, __ATOMIC_RELAXED);

	if (likely(at == c))
		return;
	if (at || (!__atomic_compare_exchange_n(&c->leat__address, &at, c, false, __ATOMIC_RELAXED,
	                                        __ATOMIC_RELAXED) &&
	           at != c))
		leat__cond_copied();
}

/* --- waiting */

static ALWAYS_INLINE int leat__cond_park(leat_cond *c, leat_mutex *mu, leat_ctx *ctx)
{
	struct leat_chan *q = chan_of(c);
	struct leat__m *m = leat__enter();
	struct leat__waiter w;
	int err = 0;

	leat__hb_renew(&w);
	leat__chan_lock(m, q);
	leat__queue(m, &q->receivers, &w, ctx, LEAT__WAIT_COND);
	leat__chan_unlock(m, q);
	leat__mutex_unlock_inside(m, mu);
	m = ctx ? leat__await_ctx(m, ctx, &err) : leat__park(m);
	if (unlikely(err)) {
		leat__chan_lock(m, q);
		leat__unqueue(&q->receivers, &w);
		leat__chan_unlock(m, q);
	} else {
		leat__hb_acquire(&w);
	}
	leat__leave(m);
	leat_mutex_lock(mu);
	return err;
}

void leat_cond_wait(leat_cond *c, leat_mutex *m)
{
	leat__cond_check(c);
	leat__cond_park(c, m, NULL);
}

int leat_cond_wait_ctx(leat_cond *c, leat_mutex *m, leat_any_ctx any)
{
	leat_ctx *ctx = any.leat__ctx;
	int err;

	leat__cond_check(c);
	err = leat__ctx_begin_wait(ctx);
	if (err)
		return err;
	err = leat__cond_park(c, m, ctx);
	leat__ctx_end_wait(ctx);
	return err;
}

/* --- waking */

static inline bool awaited(leat_cond *c)
{
	return __atomic_load_n(&chan_of(c)->receivers.first, __ATOMIC_RELAXED) != NULL;
}

/* The next waiter, off the queue, which is locked; or NULL. */
static struct leat__waiter *take(struct leat_chan *q)
{
	struct leat__waiter *w;

	do
		w = leat__waiters_take(&q->receivers);
	while (unlikely(w && load_relaxed(&w->g->kind) == LEAT__GONE));
	if (w) {
		w->ok = true;
		leat__hb_release(w);
	}
	return w;
}

static NOINLINE void leat__cond_wake_one(struct leat_chan *q)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter *w;

	leat__chan_lock(m, q);
	w = take(q);
	leat__chan_unlock(m, q);
	if (w)
		leat__ready(m, w->g, true);
	leat__leave(m);
}

static NOINLINE void leat__cond_wake_all(struct leat_chan *q)
{
	struct leat__m *m = leat__enter();
	struct leat__waiter *w, *woken = NULL, **link = &woken;

	leat__chan_lock(m, q);
	while ((w = take(q))) {
		*link = w;
		link = &w->next;
	}
	*link = NULL;
	leat__chan_unlock(m, q);
	while ((w = woken)) {
		woken = w->next; /* w is on the stack of who is readied */
		leat__ready(m, w->g, false);
	}
	leat__leave(m);
}

void leat_cond_signal(leat_cond *c)
{
	leat__cond_check(c);
	if (awaited(c))
		leat__cond_wake_one(chan_of(c));
}

void leat_cond_broadcast(leat_cond *c)
{
	leat__cond_check(c);
	if (awaited(c))
		leat__cond_wake_all(chan_of(c));
}

/* --- as a case of a select */

static void unlock_to_park(struct leat__m *m, void *mutex)
{
	leat__mutex_unlock_inside(m, mutex);
}

static void leat__relock(void *mutex)
{
	leat_mutex_lock(mutex);
}

__attribute__((constructor(101))) static void connect(void)
{
	leat__select_unlock = unlock_to_park;
	leat__select_relock = leat__relock;
}

bool leat__select_add_cond(leat__select *s, leat_cond *c, leat_mutex *m)
{
	leat__cond_check(c);
	for (int i = 0; i < s->count; i++)
		if (s->cases[i].chan && s->cases[i].dir == LEAT__COND_CASE && s->cases[i].value != m)
			leat__panic_runtime("select: case_cond with two mutexes");
	leat__select_add(s, chan_of(c), LEAT__COND_CASE, NULL, LEAT__DISCARD);
	s->cases[s->count - 1].value = m;
	return false;
}
