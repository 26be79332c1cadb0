/* SPDX-License-Identifier: MIT */
/*
 * Rate limiter: a bucket of tokens, brought up to date by who looks at it.
 *
 * Nothing runs in the background.  What the bucket holds follows from what it held at `last` and the time
 * since.  Who may not act at once takes his tokens all the same, so that they are below 0, and computes when
 * they will have come up to 0: that is his turn, and he waits for it alone, by a timer or on his own.
 *
 * Invariants (the lock)
 *  - tokens <= burst - aside, when it is let go; and what is below 0 is promised.
 *  - aside is what the first who wait in multi limiters have taken and not used yet.
 *  - last only grows.  Where time goes back nothing is filled, and what it then goes through again is not
 *    filled twice.
 *  - last_event is the latest turn given that was not cancelled.
 *
 * Cancelling.  Those who came after r have turns after r's, and what has been filled between r's turn and the
 * latest of theirs is promised to them.  Only the rest of r's tokens goes back into the bucket, else
 * they and a newcomer would have the same ones.
 *
 * The arithmetic is in doubles, as Go's: a turn may come a nanosecond early or late.
 *
 * Lock order: beside a channel's; nothing is taken under it, but that a multi limiter takes several of these, in
 * the order of their addresses.
 */
#include "sync/limiter.h"
#include "ctx/wait.h"
#include "sched/timer.h"

#include <leat/error.h>
#include <leat/time.h>

#include <errno.h>

#define NS_PER_SECOND 1e9

static bool positive(double rate)
{
	return rate > 0; /* and so is no NaN */
}

/* How long it takes to fill so many, INT64_MAX: for ever. */
static int64_t time_to_fill(double rate, double tokens)
{
	double ns;

	if (!positive(rate))
		return INT64_MAX;
	ns = tokens / rate * NS_PER_SECOND;
	return ns < (double)INT64_MAX ? (int64_t)ns : INT64_MAX;
}

/* How many come in that time, which is not negative. */
static double filled_in(double rate, int64_t duration_ns)
{
	return positive(rate) ? (double)duration_ns * rate / NS_PER_SECOND : 0;
}

static struct leat__m *lock(leat_limiter *l)
{
	struct leat__m *m = leat__enter();

	leat__lock(&l->leat__lock);
	return m;
}

static void unlock(struct leat__m *m, leat_limiter *l)
{
	leat__unlock(&l->leat__lock);
	leat__leave(m);
}

/* --- locked */

/* What is set aside and what is left are one bucket. */
static double most_tokens(const leat_limiter *l)
{
	return (double)(l->leat__burst - l->leat__aside);
}

/* Bring l up to date.  Returns the limiter's now: the given one, or the latest that it has seen. */
static int64_t advance(leat_limiter *l, int64_t now)
{
	double most = most_tokens(l);

	if (!l->leat__used) {
		l->leat__used = true;
		l->leat__tokens = most;
		l->leat__last = l->leat__last_event = now;
	}
	if (leat__limiter_unlimited(l->leat__rate))
		l->leat__tokens = most; /* no time at all fills it, too */
	else if (now > l->leat__last)
		l->leat__tokens += filled_in(l->leat__rate, now - l->leat__last);
	if (l->leat__tokens > most)
		l->leat__tokens = most;
	if (now > l->leat__last)
		l->leat__last = now;
	return l->leat__last;
}

int64_t leat__limiter_turn(leat_limiter *l, double n, int64_t now)
{
	double left;

	if (leat__limiter_unlimited(l->leat__rate))
		return 0;
	advance(l, now);
	left = l->leat__tokens - n;
	return left < 0 ? time_to_fill(l->leat__rate, -left) : 0;
}

double leat__limiter_forgo(leat_limiter *l, int64_t now, int64_t at)
{
	double most, before;

	if (leat__limiter_unlimited(l->leat__rate) || at == INT64_MAX)
		return 0;
	now = advance(l, now);
	most = (double)l->leat__burst - (at > now ? filled_in(l->leat__rate, at - now) : 0);
	before = l->leat__tokens;
	if (before <= most)
		return 0;
	l->leat__tokens = most;
	return before - most;
}

leat_reservation leat__limiter_take(leat_limiter *l, int64_t n, int64_t now, int64_t at)
{
	leat_reservation r = {
	    .ok = true, .act_at_ns = at, .leat__limiter = l, .leat__rate = l->leat__rate};

	if (leat__limiter_unlimited(l->leat__rate))
		return r;
	r.leat__n = n;
	advance(l, now);
	l->leat__tokens -= (double)n;
	l->leat__last_event = at;
	l->leat__promises++;
	return r;
}

leat_reservation leat__limiter_set_aside(leat_limiter *l, int64_t n, int64_t now, int64_t at)
{
	leat_reservation r = leat__limiter_take(l, n, now, at);

	l->leat__aside += r.leat__n;
	return r;
}

int64_t leat__limiter_turn_aside(leat_limiter *l, const leat_reservation *r, int64_t now)
{
	/* What others have set aside counts: who comes first uses it, and they wait for more. */
	return leat__limiter_turn(l, (double)(r->leat__n - l->leat__aside), now);
}

void leat__limiter_use(leat_limiter *l, const leat_reservation *r)
{
	l->leat__aside -= r->leat__n;
}

/* Take n for a turn that is no more than so long from now; else ok is false, and nothing is taken. */
static leat_reservation reserve(leat_limiter *l, int64_t n, int64_t now, int64_t most_ns)
{
	int64_t wait_ns = leat__limiter_turn(l, (double)n, now), at;

	if (leat__limiter_unlimited(l->leat__rate))
		return leat__limiter_take(l, n, now, now);
	if (n > l->leat__burst || wait_ns > most_ns)
		return (leat_reservation){
		    .act_at_ns = INT64_MAX, .leat__limiter = l, .leat__rate = l->leat__rate};
	if (__builtin_add_overflow(l->leat__last, wait_ns, &at))
		at = INT64_MAX;
	return leat__limiter_take(l, n, now, at);
}

void leat__limiter_give_back(leat_limiter *l, const leat_reservation *r, int64_t now)
{
	double restored = (double)r->leat__n;
	int64_t before;

	if (leat__limiter_unlimited(l->leat__rate))
		return;
	/* Where the rate was raised meanwhile, a later turn may come before r's. */
	if (l->leat__last_event > r->act_at_ns)
		restored -= filled_in(r->leat__rate, l->leat__last_event - r->act_at_ns);
	if (restored <= 0)
		return;
	now = advance(l, now);
	l->leat__tokens += restored;
	if (l->leat__tokens > most_tokens(l))
		l->leat__tokens = most_tokens(l);
	if (r->act_at_ns != l->leat__last_event)
		return;
	/* It was the latest: now that is the one before, unless all turns have come. */
	if (!__builtin_sub_overflow(r->act_at_ns, time_to_fill(r->leat__rate, (double)r->leat__n),
	                            &before) &&
	    before >= now)
		l->leat__last_event = before;
}

/* --- at once */

void leat_limiter_init(leat_limiter *l, double rate, int64_t burst)
{
	*l = (leat_limiter)LEAT_LIMITER(rate, burst);
}

bool leat_limiter_allow_n(leat_limiter *l, int64_t n)
{
	struct leat__m *m;
	bool ok;

	leat__limiter_check_n(n);
	m = lock(l);
	ok = reserve(l, n, leat__clock(), 0).ok;
	unlock(m, l);
	return ok;
}

bool leat_limiter_allow(leat_limiter *l)
{
	return leat_limiter_allow_n(l, 1);
}

/* --- promised */

leat_reservation leat_limiter_reserve_n(leat_limiter *l, int64_t n)
{
	leat_reservation r;
	struct leat__m *m;

	leat__limiter_check_n(n);
	m = lock(l);
	r = reserve(l, n, leat__clock(), INT64_MAX);
	unlock(m, l);
	return r;
}

int64_t leat_reservation_delay(const leat_reservation *r)
{
	int64_t now;

	if (!r->ok || r->act_at_ns == INT64_MAX)
		return INT64_MAX;
	now = leat_now();
	return r->act_at_ns > now ? r->act_at_ns - now : 0;
}

void leat_reservation_cancel(leat_reservation *r)
{
	leat_limiter *l = r->leat__limiter;
	struct leat__m *m;
	int64_t now;

	if (!r->ok || !r->leat__n)
		return;
	m = lock(l);
	now = leat__clock();
	if (r->act_at_ns >= now)
		leat__limiter_give_back(l, r, now);
	unlock(m, l);
	r->leat__n = 0;
}

/* --- waiting */

struct turn {
	struct leat__timer timer;
	struct leat__waiters self; /* who waits, alone: the timer's and a context's claims meet in it */
	struct leat__waiter w;
};

static void turn_has_come(struct leat__m *m, struct leat__timer *t)
{
	struct leat__waiter *w = leat__waiters_take(&container_of(t, struct turn, timer)->self);

	if (w)
		leat__ready_due(m, w->g);
}

int leat__limiter_sleep(int64_t until, leat_ctx *ctx)
{
	struct turn t = {.timer.fire = turn_has_come, .timer.when = until};
	struct leat__m *m = leat__enter();
	struct leat__g *me = m->g;
	int err;

	leat__queue(m, &t.self, &t.w, ctx, LEAT__WAIT_SLEEP);
	err = leat__timer_add(&t.timer);
	if (unlikely(err)) {
		store_relaxed(&me->claim, LEAT__UNARMED);
		leat__park_as(me, LEAT__RUNNABLE);
		leat__leave(m);
		return err;
	}
	m = leat__await_ctx(m, ctx, &err);
	if (err)
		leat__timer_stop(&t.timer); /* it may be firing, and look at what lies here */
	leat__leave(m);
	return err;
}

/* With a context that is being watched, if need be. */
static int leat__limiter_wait(leat_limiter *l, int64_t n, leat_any_ctx ctx)
{
	int64_t now, at, most_ns = INT64_MAX;
	leat_reservation r = {0};
	bool has_deadline = leat_ctx_deadline(ctx, &at), too_many;
	struct leat__m *m = lock(l);
	int err;

	now = leat__clock();
	if (has_deadline && __builtin_sub_overflow(at, now, &most_ns))
		most_ns = at > now ? INT64_MAX : -1;
	too_many = n > l->leat__burst && !leat__limiter_unlimited(l->leat__rate);
	if (!too_many)
		r = reserve(l, n, now, most_ns);
	unlock(m, l);
	if (!r.ok)
		return too_many ? -E2BIG : -ETIME;
	if (r.act_at_ns <= now)
		return 0;
	err = leat__limiter_sleep(r.act_at_ns, ctx.leat__ctx);
	if (err)
		leat_reservation_cancel(&r);
	return err;
}

int leat_limiter_wait_n_ctx(leat_limiter *l, int64_t n, leat_any_ctx ctx)
{
	int err;

	leat__limiter_check_n(n);
	err = leat__ctx_begin_wait(ctx.leat__ctx);
	if (err)
		return err;
	err = leat__limiter_wait(l, n, ctx);
	leat__ctx_end_wait(ctx.leat__ctx);
	if (unlikely(err == -ENOMEM))
		leat__panic_runtime("out of memory");
	return err;
}

int leat_limiter_wait_ctx(leat_limiter *l, leat_any_ctx ctx)
{
	return leat_limiter_wait_n_ctx(l, 1, ctx);
}

int leat_limiter_wait_n(leat_limiter *l, int64_t n)
{
	return leat_limiter_wait_n_ctx(l, n, (leat_any_ctx)(leat_ctx *)NULL);
}

int leat_limiter_wait(leat_limiter *l)
{
	return leat_limiter_wait_n(l, 1);
}

/* --- its words.  By hand: printf needs more stack than a small goroutine has */

struct words {
	char *text;
	size_t bytes, length;
};

static void put(struct words *w, const char *s)
{
	for (; *s; s++, w->length++)
		if (w->length + 1 < w->bytes)
			w->text[w->length] = *s;
}

static void put_number(struct words *w, int64_t v)
{
	uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	char digits[24], *at = digits + sizeof digits;

	*--at = '\0';
	do
		*--at = (char)('0' + rest % 10);
	while (rest /= 10);
	if (v < 0)
		*--at = '-';
	put(w, at);
}

size_t leat_limiter_strerror(leat_limiter *l, int64_t n, int err, char *text, size_t bytes)
{
	struct words w = {.text = text, .bytes = bytes};

	switch (err) {
	case -E2BIG:
	case -ETIME:
		put(&w, "rate: Wait(n=");
		put_number(&w, n);
		put(&w, err == -E2BIG ? ") exceeds limiter's burst " : ") would exceed context deadline");
		if (err == -E2BIG)
			put_number(&w, leat_limiter_burst(l));
		break;
	case -ECANCELED:
		put(&w, leat_error_message(&leat_canceled));
		break;
	case -ETIMEDOUT:
		put(&w, leat_error_message(&leat_deadline_exceeded));
		break;
	default:
		put(&w, leat_error_message(leat_error_errno(err)));
	}
	if (bytes)
		text[w.length < bytes ? w.length : bytes - 1] = '\0';
	return w.length;
}

/* --- changes */

void leat_limiter_set_rate(leat_limiter *l, double rate)
{
	struct leat__m *m = lock(l);

	advance(l, leat__clock());
	l->leat__rate = rate;
	unlock(m, l);
}

void leat_limiter_set_burst(leat_limiter *l, int64_t burst)
{
	struct leat__m *m = lock(l);

	advance(l, leat__clock());
	l->leat__burst = burst;
	unlock(m, l);
}

double leat_limiter_rate(leat_limiter *l)
{
	struct leat__m *m = lock(l);
	double rate = l->leat__rate;

	unlock(m, l);
	return rate;
}

int64_t leat_limiter_burst(leat_limiter *l)
{
	struct leat__m *m = lock(l);
	int64_t burst = l->leat__burst;

	unlock(m, l);
	return burst;
}

double leat_limiter_tokens(leat_limiter *l)
{
	struct leat__m *m = lock(l);
	double tokens;

	advance(l, leat__clock());
	tokens = l->leat__tokens;
	unlock(m, l);
	return tokens;
}
