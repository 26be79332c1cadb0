/* SPDX-License-Identifier: MIT */
/*
 * Alarms.
 *
 * No value of an alarm is ever stored.  What its channel holds follows from when it is set for and the
 * clock: once that instant has come, a receive yields it, and sets the alarm for the next one, or for
 * none.  So stopping and setting anew leave nothing stale behind, an alarm that has gone off unread is
 * still set, and of the ticks that a slow reader missed it finds the first and then none before the
 * next on the grid: Go's rules since 1.23, without a case of their own.
 *
 * Only while a receiver is parked must something happen by itself.  Then, and only then, the alarm's
 * timer is armed; firing, it hands the value to the longest waiter.  An alarm that nobody waits for is
 * in no queue: it costs its memory alone, and hides no deadlock.
 *
 * Invariants (the timer's lock; the channel's for what it protects)
 *  - The timer is armed, for at or earlier, if the alarm is set, has waiters, and at has not come when
 *    it fired last.  Earlier: a receive has taken the value, and set at, with the channel's lock alone.
 *    The timer finds that out when it fires, which it does at once.
 *  - A receiver looks whether the alarm is due, and queues if not, under the channel's lock in one go;
 *    then it counts itself as a waiter, which arms the timer.  It takes itself out of the queue, then of
 *    the count.  So when the timer fires and finds no receiver in the queue, each one that comes finds
 *    the alarm due, and nothing more is to be done.
 *
 * Linearisation: each operation does its deed under the channel's lock (without a channel: the timer's),
 * once.  Setting holds the timer's lock around that, so that of two the later one arms.
 *
 * An alarm with a function is the same with one waiter for ever.  Its timer is always armed while it is
 * set, and keeps the process alive.
 *
 * Lock order: the timer's, the channel's; the scheduler's.
 */
#include "chan/alarm.h"

#include "sched/panic.h"
#include "sched/policy.h"

#include <leat/go.h>

#include <stdlib.h>

_Static_assert(sizeof(struct leat__alarm) <= LEAT__TIMER_BYTES, "the memory of a timer");

/* --- when */

static bool is_due(const struct leat__alarm *a, int64_t now)
{
	return a->set && a->at <= now;
}

bool leat__alarm_due(const struct leat__alarm *a)
{
	return is_due(a, leat__clock());
}

/* The value of a, which is due; it goes on to the next one.  Channel's lock. */
static int64_t take(struct leat__alarm *a, int64_t now)
{
	int64_t value = a->at, missed;

	if (!a->period) {
		a->set = false;
		a->at = INT64_MAX;
		return value;
	}
	missed = (now - value) / a->period;
	if (__builtin_mul_overflow(a->period, missed + 1, &a->at) ||
	    __builtin_add_overflow(value, a->at, &a->at))
		a->at = INT64_MAX;
	return value;
}

/* a is due: hand its value to the longest waiter, who is returned, to be woken after the unlock; NULL:
   nobody could be served.  Channel's lock. */
static struct leat__waiter *hand_over(struct leat__alarm *a, int64_t now)
{
	struct leat__waiter *w = leat__waiters_take(&a->chan->receivers);
	int64_t value;

	if (!w)
		return NULL;
	value = take(a, now);
	if (w->elem)
		leat__copy(w->elem, &value, sizeof value);
	w->ok = true;
	return w;
}

enum leat__outcome leat__alarm_recv(struct leat__m *m, struct leat_chan *c, void *elem,
                                    bool selecting)
{
	struct leat__alarm *a = c->alarm;

	for (;;) {
		int64_t now = leat__clock(), value;
		struct leat__waiter *w;

		if (!is_due(a, now))
			return LEAT__BLOCKS;
		/* Who is parked comes first, though the timer has yet to fire. */
		w = hand_over(a, now);
		if (!w) {
			value = take(a, now);
			leat__chan_unlock(m, c);
			leat__hb_acquire(a);
			if (elem)
				leat__copy(elem, &value, sizeof value);
			leat__operated(m->p);
			return LEAT__DONE;
		}
		leat__chan_unlock(m, c);
		leat__waiter_wake(m, w, selecting);
		leat__chan_lock(m, c);
	}
}

/* --- functions */

struct call {
	void (*fn)(void *);
	void *arg;
	void *token;
};

/* Under the thread sanitizer: who set the alarm did so before the function runs.  Nobody else is to be
   ordered before it, least of all the goroutine in whose time the timer fired. */
static void leat__call(void *arg)
{
	struct call *c = arg;

	leat__san_redeem(c->token);
	c->fn(c->arg);
}

static void start_function(struct leat__m *m, struct leat__alarm *a)
{
	struct call c = {a->fn, a->arg, a->token};
	struct leat__g *g = leat__sanitizers & LEAT__TSAN ? leat__g_new(m, leat__call, &c, sizeof c)
	                                                  : leat__g_new(m, a->fn, NULL, 0);

	if (!g)
		leat__fatal("out of memory: no goroutine for the function of a timer");
	a->token = NULL;
	if (!(leat__sanitizers & LEAT__TSAN))
		g->arg = a->arg;
	g->created_at = a->created_at;
	g->parent = a->creator;
	leat__ready_due(m, g);
}

/* --- the timer */

static void chan_alarm_fires(struct leat__m *m, struct leat__timer *t)
{
	struct leat__alarm *a = container_of(t, struct leat__alarm, timer);
	struct leat__waiter *w = NULL;
	int64_t now = leat__clock(), at = INT64_MAX;
	uint16_t mark = leat__mark(m);

	leat__biased_lock(&a->chan->lock, mark);
	if (is_due(a, now))
		w = hand_over(a, now);
	if (a->waiters && a->set && !is_due(a, now))
		at = a->at;
	leat__biased_unlock(&a->chan->lock, mark);
	leat__timer_arm(t, at);
	if (w)
		leat__ready_due(m, w->g);
}

static void func_alarm_fires(struct leat__m *m, struct leat__timer *t)
{
	struct leat__alarm *a = container_of(t, struct leat__alarm, timer);

	a->set = false;
	start_function(m, a);
}

void leat__alarm_await(struct leat__m *m, struct leat__alarm *a)
{
	int64_t at;

	leat__timer_lock(&a->timer);
	a->waiters++;
	if (!leat__timer_armed(&a->timer)) {
		leat__chan_lock(m, a->chan);
		at = a->set ? a->at : INT64_MAX;
		leat__chan_unlock(m, a->chan);
		leat__timer_arm(&a->timer, at);
	}
	leat__timer_unlock(&a->timer);
}

void leat__alarm_unawait(struct leat__alarm *a, bool received)
{
	leat__timer_lock(&a->timer);
	if (--a->waiters == 0)
		leat__timer_arm(&a->timer, INT64_MAX);
	leat__timer_unlock(&a->timer);
	if (received)
		leat__hb_acquire(a);
}

bool leat__alarm_set(struct leat__alarm *a, bool set, int64_t at, int64_t period_ns)
{
	bool tell = unlikely(leat__sanitizers & LEAT__TSAN) && set && !a->chan;
	void *token = NULL;
	struct leat__m *m;
	bool was_set;

	if (a->chan)
		leat__chan_check(a->chan); /* before the timer's lock is taken */
	m = leat__enter();
	if (tell)
		token = leat__san_token();
	if (set && a->chan)
		leat__hb_release(a);
	leat__timer_lock(&a->timer);
	if (unlikely(!a->timer.slot)) {
		leat__timer_unlock(&a->timer);
		leat__leave(m);
		leat__panic_runtime("use of freed timer");
	}
	if (a->chan)
		leat__chan_lock(m, a->chan);
	was_set = a->set;
	a->set = set;
	a->at = at;
	if (a->chan) {
		a->period = period_ns;
		leat__chan_unlock(m, a->chan);
	} else {
		void *before = a->token;

		a->token = token;
		token = before;
	}
	if (a->waiters)
		leat__timer_arm(&a->timer, set ? at : INT64_MAX);
	leat__timer_unlock(&a->timer);
	if (unlikely(token != NULL))
		leat__san_drop(token);
	leat__leave(m);
	return was_set;
}

/* In the child of a fork no alarm is set, and nobody waits. */
static void drop(struct leat__timer *t)
{
	struct leat__alarm *a = container_of(t, struct leat__alarm, timer);

	a->set = false;
	a->at = INT64_MAX;
	a->waiters = a->chan ? 0 : 1;
	if (a->chan)
		a->chan->receivers = (struct leat__waiters){0};
}

__attribute__((constructor(101))) static void connect(void)
{
	leat__on_timer_dropped = drop;
}

/* --- beginning and end */

struct leat__alarm *leat__alarm_chan(bool owned, int64_t at, int64_t period_ns)
{
	struct leat__alarm *a;
	struct leat__m *m;
	leat_chan *c;
	int err;

	/* The alarm lies where other channels have their buffer. */
	if (posix_memalign((void **)&c, CACHE_LINE, sizeof *c + sizeof *a) != 0)
		leat__panic_runtime("out of memory");
	a = (struct leat__alarm *)(void *)c->buffer;
	*c = (leat_chan){.elem_bytes = sizeof(int64_t), .special = LEAT__TIMED_CHAN, .alarm = a};
	*a = (struct leat__alarm){.timer.fire = chan_alarm_fires,
	                          .owned = owned,
	                          .chan = c,
	                          .set = true,
	                          .at = at,
	                          .period = period_ns};
	m = leat__enter();
	a->creator = m->g->id;
	leat__hb_release(a);
	err = leat__timer_keep(&a->timer);
	if (likely(!err))
		leat__timer_unlock(&a->timer);
	leat__leave(m);
	if (unlikely(err)) {
		free(c);
		leat__panic_runtime("out of memory");
	}
	return a;
}

struct leat__alarm *leat__alarm_func(void (*fn)(void *), void *arg, int64_t at, void *created_at)
{
	void *memory = leat__timer_watched() ? malloc(LEAT__TIMER_BYTES) : NULL;
	struct leat__m *m = leat__enter();
	struct leat__alarm a = {.timer.fire = func_alarm_fires,
	                        .creator = m->g->id,
	                        .owned = true,
	                        .fn = fn,
	                        .arg = arg,
	                        .created_at = created_at,
	                        .waiters = 1,
	                        .set = true,
	                        .at = at};
	struct leat__timer *t;

	if (unlikely(leat__sanitizers & LEAT__TSAN))
		a.token = leat__san_token();
	t = leat__timer_new(memory, &a.timer, sizeof a);
	if (unlikely(!t)) {
		leat__leave(m);
		leat__san_drop(a.token);
		free(memory);
		leat__panic_runtime("out of memory");
	}
	leat__timer_arm(t, at);
	leat__timer_unlock(t);
	leat__leave(m);
	return container_of(t, struct leat__alarm, timer);
}

bool leat__alarm_awaited(struct leat__alarm *a)
{
	struct leat__m *m;
	bool awaited;

	if (!a->chan)
		return false;
	m = leat__enter();
	leat__chan_lock(m, a->chan);
	awaited = a->chan->receivers.first != NULL;
	leat__chan_unlock(m, a->chan);
	leat__leave(m);
	return awaited;
}

void leat__alarm_free(struct leat__alarm *a)
{
	struct leat__m *m = leat__enter();
	leat_chan *c = a->chan;
	bool there = true;

	if (c) {
		leat__timer_drop(&a->timer);
	} else {
		if (unlikely(leat__sanitizers & LEAT__TSAN)) {
			leat__timer_lock(&a->timer);
			leat__timer_arm(&a->timer, INT64_MAX); /* it takes no token any more */
			leat__timer_unlock(&a->timer);
			leat__san_drop(a->token);
		}
		there = leat__timer_free(&a->timer);
	}
	leat__leave(m);
	if (c)
		leat__chan_free_memory(c);
	else if (leat__timer_watched())
		free(a);
	if (!there)
		leat__panic_runtime("timer_free: timer is freed already");
}
