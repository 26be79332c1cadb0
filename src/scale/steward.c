/* SPDX-License-Identifier: MIT */
/*
 * Stewards: run a ward, watch its heartbeat, join it, run it again.
 *
 * Everything happens in the goroutine of who calls, one life of the ward after the other, each in a block of its own:
 * a heartbeat, then a scope in which the ward's goroutine runs, which in turn has a scope for what the ward starts.
 * Leaving the block, in whichever way, joins before the heartbeat is freed; so a panic of the hook, or of a timer that
 * finds no memory, leaves nothing behind.
 *
 * That a ward is over is told by a token in the channel `gone`, which it sends when all else is done; one life, one
 * token, so the channel serves them all.  A scope tells it, too, but only to who does nothing else: here there is the
 * steward's own heartbeat to keep up, and the grace to be counted.
 *
 * Invariants (all of it is the steward's goroutine's)
 *  - While a life's scope lives, so does at most one ward; between lives none does.
 *  - What the ward's goroutine writes into the life is read once its token was received.
 *  - restarts[] are the instants of the latest restarts, in a ring; as many as the limit has, since only these matter,
 *    or as many as the back-off can count.
 */
#include "base/random.h"
#include "scale/heartbeat.h"
#include "scope/scope.h"
#include "sched/panic.h"
#include "sched/policy.h"

#include <leat/defer.h>
#include <leat/select.h>
#include <leat/steward.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>

enum { COUNTED = 64 }; /* restarts for the back-off: it has doubled beyond all limits by then */

/* A steward at work. */
struct stewarding {
	const leat_steward *s;
	leat_ctx *ctx;       /* NULL: none */
	leat_heartbeat *own; /* NULL: none; else for who watches this steward */
	int64_t interval_ns, timeout_ns, grace_ns;
	leat_chan *gone;
	int64_t *restarts;
	size_t room; /* for restarts; at first all are long ago */
	uint64_t restarted;
	void *created_at; /* the ward, for reports */
};

/* What became of it. */
enum fate { GONE, STALLED, CLOSED, CANCELLED };

struct life {
	struct stewarding *st;
	leat_scope *scope;
	leat_heartbeat *heartbeat;
	uint64_t start;
	int err;
	bool returned, panicked;
	leat_panic_info panic;
};

static int64_t default_to(int64_t value, int64_t otherwise)
{
	return value != 0 ? value : otherwise;
}

static leat_chan *leat__steward_done_of(leat_ctx *ctx)
{
	return (leat_chan *)(void *)leat_ctx_done((leat_any_ctx)ctx);
}

static leat_chan *own_due(struct stewarding *st)
{
	return st->own ? (leat_chan *)(void *)leat_heartbeat_due(st->own) : NULL;
}

static void beat(struct stewarding *st)
{
	if (st->own)
		leat_heartbeat_beat(st->own);
}

/* --- in the ward's goroutine */

static void leat__ward_live(void *arg)
{
	struct life *l = arg;
	LEAT_SCOPE(scope, l->scope);
	leat_ward w = {scope, l->heartbeat, l->start, l->st->s->arg};

	l->err = l->st->s->ward(&w);
	l->returned = true;
}

/* On every way out, a goexit too. */
static void leat__ward_gone(void *arg)
{
	struct life *l = arg;
	static const char token;

	leat_chan_send(l->st->gone, &token); /* there is room */
	/* Later, so that an end without a token is the ward's doing. */
	leat_heartbeat_close(l->heartbeat);
}

static void leat__ward_goroutine(void *arg)
{
	struct life *l = *(struct life **)arg;
	LEAT_DEFER(leat__ward_gone, l);

	if (l->st->s->catch_panics)
		l->panicked = leat_catch(leat__ward_live, l, &l->panic);
	else
		leat__ward_live(l);
}

static void leat__ward_start(void *arg)
{
	struct life *l = arg;

	leat__scope_go_from(l->scope, leat__ward_goroutine, &l, sizeof(struct life *),
	                    l->st->created_at);
}

/* --- watching it */

/* Wait for the end of the ward for so long, whatever its heartbeat says; also until ctx is done, if that is not NULL.
   True when it has ended. */
static bool leat__steward_await(struct stewarding *st, int64_t timeout_ns, bool beats,
                                leat_ctx *ctx)
{
	leat_case cases[3] = {{st->gone, LEAT_RECV, NULL},
	                      {leat__steward_done_of(ctx), LEAT_RECV, NULL},
	                      {beats ? own_due(st) : NULL, LEAT_RECV, NULL}};
	int64_t end = leat__deadline(timeout_ns);

	for (;;) {
		int64_t left = end == INT64_MAX ? LEAT_FOREVER : end - leat_now();

		switch (leat_select(cases, ARRAY_LEN(cases), left, NULL)) {
		case 0:
			return true;
		case 1:
			return leat_chan_try_recv(st->gone, NULL, NULL);
		case 2:
			beat(st);
			break;
		default:
			if (left <= 0)
				return false;
		}
	}
}

static enum fate leat__steward_watch(struct stewarding *st, leat_heartbeat *h)
{
	leat_case cases[4] = {{st->gone, LEAT_RECV, NULL},
	                      {(leat_chan *)(void *)leat_heartbeat_ended(h), LEAT_RECV, NULL},
	                      {leat__steward_done_of(st->ctx), LEAT_RECV, NULL},
	                      {own_due(st), LEAT_RECV, NULL}};

	for (;;) {
		int64_t left = leat__heartbeat_left(h, st->timeout_ns);

		switch (leat_select(cases, ARRAY_LEN(cases), left, NULL)) {
		case 0:
			return GONE;
		case 1: /* by the ward itself, as one does that is about to return */
			return leat__steward_await(st, st->grace_ns, true, st->ctx) ? GONE : CLOSED;
		case 2:
			return CANCELLED;
		case 3:
			beat(st);
			break;
		default:
			if (left <= 0)
				return STALLED;
		}
	}
}

static void leat__steward_tell(const struct stewarding *st, const leat_steward_event *e)
{
	if (st->s->hook)
		st->s->hook(e, st->s->hook_arg);
}

/* Cancel it, and wait for as long as it takes. */
static void leat__steward_join(struct stewarding *st, struct life *l)
{
	leat_steward_event e = {.reason = LEAT_STEWARD_STUCK, .start = l->start};
	int64_t begin = leat_now();
	bool patient = true;

	leat_scope_cancel(l->scope);
	while (!leat__steward_await(st, st->grace_ns, patient, NULL)) {
		e.waited_ns = leat_now() - begin;
		leat__steward_tell(st, &e);
		patient = false; /* no more beats: who watches the steward should know */
	}
}

/* One life, from the start to the join.  *l is filled in. */
static enum fate leat__steward_live(struct stewarding *st, struct life *l)
{
	leat_heartbeat *h = leat__heartbeat_new(st->interval_ns);
	LEAT_DEFER(leat_heartbeat_free, h);
	LEAT_SCOPE(scope, st->ctx);
	enum fate fate;

	l->st = st;
	l->scope = scope;
	l->heartbeat = h;
	if (!h || leat_catch(leat__ward_start, l, NULL)) {
		l->err = -ENOMEM; /* nothing else panics there */
		l->returned = true;
		return GONE;
	}
	beat(st);
	fate = leat__steward_watch(st, h);
	if (fate != GONE)
		leat__steward_join(st, l);
	return fate;
}

/* --- restarts */

static uint64_t restarts_in_window(const struct stewarding *st, int64_t now)
{
	uint64_t known = st->restarted < st->room ? st->restarted : st->room, n = 0;
	int64_t window = default_to(st->s->window_ns, LEAT_MINUTE);

	for (uint64_t i = 0; i < known; i++)
		n += now - st->restarts[i] < window;
	return n;
}

/* How long to wait before the n-th restart in a window, from 1. */
static int64_t backoff(const leat_steward *s, uint64_t n)
{
	int64_t delay = default_to(s->backoff_ns, 10 * LEAT_MILLISECOND);
	int64_t most = default_to(s->backoff_max_ns, 10 * LEAT_SECOND);

	if (delay < 0)
		return 0;
	while (--n > 0 && delay < most)
		if (__builtin_mul_overflow(delay, 2, &delay))
			delay = INT64_MAX;
	if (delay > most)
		delay = most;
	return delay - (int64_t)((double)(delay / 2) * leat__random(NULL) / UINT32_MAX);
}

/* Decide about a restart, tell of it, and wait for its time: 0; or give up, or find ctx done: why. */
static int leat__steward_restart(struct stewarding *st, leat_steward_event *e)
{
	int64_t now = leat_now();
	uint64_t n = restarts_in_window(st, now);
	int limit = st->s->max_restarts;

	e->gives_up = limit < 0 || (limit > 0 && n >= (uint64_t)limit);
	if (!e->gives_up)
		e->delay_ns = backoff(st->s, n + 1);
	leat__steward_tell(st, e);
	if (e->gives_up)
		return e->err ? e->err : -EPIPE;
	st->restarts[st->restarted++ % st->room] = now;
	if (st->own)
		return leat_heartbeat_sleep(st->own, e->delay_ns, (leat_any_ctx)st->ctx);
	return leat_sleep_ctx(e->delay_ns, (leat_any_ctx)st->ctx);
}

/* What to tell of a life that is over. */
static leat_steward_event describe(const struct life *l, enum fate fate)
{
	leat_steward_event e = {.start = l->start, .panic = l->panicked ? &l->panic : NULL};

	if (fate == STALLED) {
		e.reason = LEAT_STEWARD_STALLED;
		e.err = -ETIME;
	} else if (l->panicked) {
		e.reason = LEAT_STEWARD_PANICKED;
		e.err = -ENOTRECOVERABLE;
	} else if (fate == CLOSED) {
		e.reason = LEAT_STEWARD_CLOSED;
		e.err = -EPIPE;
	} else if (l->returned && l->err) {
		e.reason = LEAT_STEWARD_FAILED;
		e.err = l->err;
	} else {
		e.reason = LEAT_STEWARD_ENDED;
		e.err = l->returned ? 0 : -EPIPE;
	}
	return e;
}

static int leat__steward_run(struct stewarding *st)
{
	int err = leat_ctx_err((leat_any_ctx)st->ctx);

	for (uint64_t i = 0; !err; i++) {
		struct life l = {.start = i};
		enum fate fate = leat__steward_live(st, &l);
		leat_steward_event e = describe(&l, fate);

		err = leat_ctx_err((leat_any_ctx)st->ctx);
		if (!err && fate == GONE && e.reason == LEAT_STEWARD_ENDED && e.err == 0 && !st->s->always)
			return 0;
		if (!err)
			err = leat__steward_restart(st, &e);
		else if (l.panicked)
			leat__steward_tell(st, &e);
	}
	return err;
}

/* --- begun */

static void leat__steward_end(void *arg)
{
	struct stewarding *st = arg;

	leat_chan_free(st->gone);
	free(st->restarts);
}

static int leat__steward_begin(const leat_steward *s, leat_ctx *ctx, leat_heartbeat *own,
                               void *created_at)
{
	struct stewarding st = {.s = s,
	                        .ctx = ctx,
	                        .own = own,
	                        .created_at = created_at,
	                        .room = s->max_restarts > 0 ? (size_t)s->max_restarts : COUNTED};
	LEAT_DEFER(leat__steward_end, &st);

	if (!s->ward)
		leat__panic_runtime("steward: no ward");
	if (s->timeout_ns < 0 || s->interval_ns < 0 || s->grace_ns < 0 || s->window_ns < 0)
		leat__panic_runtime("steward: negative time");
	st.interval_ns = default_to(s->interval_ns, s->timeout_ns / 2);
	if (s->timeout_ns > 0 && st.interval_ns <= 0)
		st.interval_ns = 1;
	st.timeout_ns = s->timeout_ns; /* 0: by the heartbeat's interval */
	st.grace_ns = default_to(s->grace_ns, s->timeout_ns);
	if (st.grace_ns == 0)
		st.grace_ns = st.interval_ns ? 2 * st.interval_ns : LEAT_SECOND;
	st.restarts = calloc(st.room, sizeof *st.restarts);
	if (!st.restarts)
		leat__panic_runtime("out of memory");
	st.gone = leat_chan_make(0, 1);
	return leat__steward_run(&st);
}

int leat_steward_run(const leat_steward *s, leat_any_ctx ctx)
{
	return leat__steward_begin(s, ctx.leat__ctx, NULL, __builtin_return_address(0));
}

int leat_steward_ward(leat_ward *w)
{
	leat_any_ctx ctx = (leat_any_ctx)w->scope;

	return leat__steward_begin(w->arg, ctx.leat__ctx, w->heartbeat, __builtin_return_address(0));
}

struct in_scope {
	leat_scope *scope;
	const leat_steward *s;
	void *created_at;
};

static void leat__steward_goroutine(void *arg)
{
	struct in_scope *a = arg;
	int err = leat__steward_begin(a->s, &a->scope->leat__ctx, NULL, a->created_at);

	if (!leat_scope_err(a->scope))
		leat_scope_fail(a->scope, err);
}

void leat_steward_go(leat_scope *scope, const leat_steward *s)
{
	void *from = __builtin_return_address(0);

	leat__scope_go_from(scope, leat__steward_goroutine, &(struct in_scope){scope, s, from},
	                    sizeof(struct in_scope), from);
}

const char *leat_steward_reason_string(enum leat_steward_reason reason)
{
	static const char *const words[] = {
	    [LEAT_STEWARD_STALLED] = "stalled",   [LEAT_STEWARD_FAILED] = "failed",
	    [LEAT_STEWARD_ENDED] = "ended",       [LEAT_STEWARD_CLOSED] = "closed its heartbeat",
	    [LEAT_STEWARD_PANICKED] = "panicked", [LEAT_STEWARD_STUCK] = "stuck",
	};

	if (reason < LEAT_STEWARD_STALLED || reason > LEAT_STEWARD_STUCK)
		return "?";
	return words[reason];
}
