/* SPDX-License-Identifier: MIT */
/*
 * Heartbeats: a slot for a pulse, and the instant of the latest beat.
 *
 * The slot is a channel with room for one, into which a beat tries to send.  Who watches does not empty it: what
 * counts for him is `latest`, so he sleeps until that would be too old, looks, and sleeps on.
 *
 * `latest` and `count` are stored by whoever beats, without a lock; of several at once any may be the one that is
 * kept, which are nanoseconds apart.  The addition to count releases, and its partner is the load in
 * leat_heartbeat_count; latest is a hint about time and orders nothing.
 *
 * Closing closes `ended` alone, never the slot: so a beat need not know whether h is closed, and no receive of a pulse
 * can be an end.
 */
#include "scale/heartbeat.h"
#include "scope/scope.h"
#include "sched/panic.h"

#include <leat/panic.h>
#include <leat/select.h>
#include <leat/ticker.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>

struct leat_heartbeat {
	leat_chan *slot;    /* never closed */
	leat_chan *started; /* closed at the first beat, or by an early end */
	leat_chan *ended;
	leat_ticker *ticker; /* NULL: no interval */
	int64_t interval_ns;
	_Atomic int64_t latest;
	_Atomic uint64_t count;
	_Atomic uint8_t settled; /* enum settled: changes once */
};

enum settled { OPEN, COMMITTED, GIVEN_UP };

/* --- made and freed */

static void leat__heartbeat_make_parts(void *arg)
{
	leat_heartbeat *h = arg;

	h->slot = leat_chan_make(0, 1);
	h->started = leat_chan_make(0, 0);
	h->ended = leat_chan_make(0, 0);
	if (h->interval_ns > 0)
		h->ticker = leat_ticker_new(h->interval_ns);
	store_relaxed(&h->latest, leat_now());
}

static void leat__heartbeat_free_parts(void *arg)
{
	leat_heartbeat *h = arg;

	leat_chan_free(h->slot);
	h->slot = NULL; /* the next may panic */
	leat_chan_free(h->started);
	h->started = NULL;
	leat_chan_free(h->ended);
	h->ended = NULL;
	leat_ticker_free(h->ticker);
}

leat_heartbeat *leat__heartbeat_new(int64_t interval_ns)
{
	leat_heartbeat *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	h->interval_ns = interval_ns;
	leat__hb_renew(&h->count);
	leat__hb_renew(&h->settled);
	if (leat_catch(leat__heartbeat_make_parts, h, NULL)) {
		leat__heartbeat_free_parts(h);
		free(h);
		return NULL;
	}
	return h;
}

leat_heartbeat *leat_heartbeat_make(int64_t interval_ns)
{
	leat_heartbeat *h;

	if (interval_ns < 0)
		leat__panic_runtime("heartbeat: negative interval");
	h = leat__heartbeat_new(interval_ns);
	if (!h)
		leat__panic_runtime("out of memory");
	return h;
}

void leat_heartbeat_free(leat_heartbeat *h)
{
	if (!h)
		return;
	if (leat_catch(leat__heartbeat_free_parts, h, NULL))
		leat__panic_runtime("heartbeat_free: goroutines are waiting on a channel");
	free(h);
}

/* --- asked */

LEAT_RECV_CHAN(int64_t) leat_heartbeat_due(leat_heartbeat *h)
{
	return leat_ticker_chan(h->ticker);
}

LEAT_RECV_CHAN(leat_empty) leat_heartbeat_pulses(leat_heartbeat *h)
{
	return (LEAT_RECV_CHAN(leat_empty))(void *)h->slot;
}

LEAT_RECV_CHAN(leat_empty) leat_heartbeat_started(leat_heartbeat *h)
{
	return (LEAT_RECV_CHAN(leat_empty))(void *)h->started;
}

LEAT_RECV_CHAN(leat_empty) leat_heartbeat_ended(leat_heartbeat *h)
{
	return (LEAT_RECV_CHAN(leat_empty))(void *)h->ended;
}

uint64_t leat_heartbeat_count(leat_heartbeat *h)
{
	uint64_t count = load_acquire(&h->count);

	leat__hb_acquire(&h->count);
	return count;
}

int64_t leat_heartbeat_latest(leat_heartbeat *h)
{
	return load_relaxed(&h->latest);
}

int64_t leat_heartbeat_interval(leat_heartbeat *h)
{
	return h->interval_ns;
}

/* --- the worker */

void leat_heartbeat_beat(leat_heartbeat *h)
{
	static const char pulse;

	if (leat_chan_is_closed(h->ended))
		return;
	store_relaxed(&h->latest, leat_now());
	leat__hb_release(&h->count);
	if (fetch_add_acq_rel(&h->count, 1) == 0)
		leat_chan_try_close(h->started);
	leat_chan_try_send(h->slot, &pulse);
}

void leat_heartbeat_close(leat_heartbeat *h)
{
	if (leat_heartbeat_count(h) == 0)
		leat_chan_try_close_with(h->started, leat_error_errno(-EPIPE));
	leat_chan_try_close(h->ended);
}

static leat_chan *due(leat_heartbeat *h)
{
	return (leat_chan *)(void *)leat_heartbeat_due(h);
}

/* Wait for the operation `one` (NULL: for none) for up to timeout_ns, beating: 0, and *ok as for a receive; or why ctx
   is done; or -ETIME. */
static int leat__heartbeat_work(leat_heartbeat *h, const leat_case *one, int64_t timeout_ns,
                                bool *ok, leat_any_ctx ctx)
{
	leat_case cases[3] = {
	    {due(h), LEAT_RECV, NULL},
	    {(leat_chan *)(void *)leat_ctx_done(ctx), LEAT_RECV, NULL},
	    {one ? one->chan : NULL, one ? one->dir : LEAT_RECV, one ? one->value : NULL}};
	int64_t end = leat__deadline(timeout_ns);

	for (;;) {
		int err = leat_ctx_err(ctx);
		int64_t left = end == INT64_MAX ? LEAT_FOREVER : end - leat_now();

		if (err)
			return err;
		switch (leat_select(cases, ARRAY_LEN(cases), left, ok)) {
		case 0:
			leat_heartbeat_beat(h);
			break;
		case 2:
			return 0;
		case LEAT_SELECT_NONE:
			if (left <= 0)
				return -ETIME;
			break;
		default:
			break; /* ctx says why */
		}
	}
}

int leat_heartbeat_send(leat_heartbeat *h, leat_chan *c, const void *elem, leat_any_ctx ctx)
{
	leat_case send = {c, LEAT_SEND, (void *)(uintptr_t)elem};

	return leat__heartbeat_work(h, &send, LEAT_FOREVER, NULL, ctx);
}

int leat_heartbeat_recv(leat_heartbeat *h, leat_chan *c, void *elem, leat_any_ctx ctx)
{
	leat_case recv = {c, LEAT_RECV, elem};
	bool ok = true;
	int err = leat__heartbeat_work(h, &recv, LEAT_FOREVER, &ok, ctx);

	return !err && !ok ? -EPIPE : err;
}

int leat_heartbeat_sleep(leat_heartbeat *h, int64_t duration_ns, leat_any_ctx ctx)
{
	int err = leat__heartbeat_work(h, NULL, duration_ns, NULL, ctx);

	return err == -ETIME ? 0 : err;
}

/* --- the handshake */

/* Both sides try the same change, so one of them alone makes it; who fails acquires what the other released. */
static bool settle(leat_heartbeat *h, enum settled as)
{
	uint8_t open = OPEN;
	bool first;

	leat__hb_release(&h->settled);
	first = cas_acq_rel(&h->settled, &open, as);
	leat__hb_acquire(&h->settled);
	return first;
}

bool leat_heartbeat_commit(leat_heartbeat *h)
{
	leat_heartbeat_beat(h);
	return settle(h, COMMITTED);
}

bool leat_heartbeat_give_up(leat_heartbeat *h)
{
	return settle(h, GIVEN_UP);
}

/* --- beats from beside the worker */

struct keeper {
	leat_scope *s;
	leat_heartbeat *h;
};

static void leat__heartbeat_keeper(void *arg)
{
	struct keeper *a = arg;

	do
		leat_heartbeat_beat(a->h);
	while (leat_sleep_ctx(a->h->interval_ns, (leat_any_ctx)a->s) == 0);
}

void leat__heartbeat_keep(leat_scope *s, leat_heartbeat *h)
{
	if (h->interval_ns == 0)
		leat__panic_runtime("heartbeat: no interval");
	leat__scope_go_from(s, leat__heartbeat_keeper, &(struct keeper){s, h}, sizeof(struct keeper),
	                    __builtin_return_address(0));
}

/* --- who watches */

static int64_t time_out(leat_heartbeat *h, int64_t timeout_ns)
{
	int64_t two;

	if (timeout_ns != 0)
		return timeout_ns;
	if (h->interval_ns == 0 || __builtin_mul_overflow(h->interval_ns, 2, &two))
		return LEAT_FOREVER;
	return two;
}

int64_t leat__heartbeat_left(leat_heartbeat *h, int64_t timeout_ns)
{
	int64_t at;

	timeout_ns = time_out(h, timeout_ns);
	if (timeout_ns == LEAT_FOREVER ||
	    __builtin_add_overflow(leat_heartbeat_latest(h), timeout_ns, &at))
		return LEAT_FOREVER;
	return at - leat_now();
}

int leat_heartbeat_watch(leat_heartbeat *h, int64_t timeout_ns, leat_any_ctx ctx)
{
	leat_case cases[2] = {{h->ended, LEAT_RECV, NULL},
	                      {(leat_chan *)(void *)leat_ctx_done(ctx), LEAT_RECV, NULL}};

	for (;;) {
		int err = leat_ctx_err(ctx);
		int64_t left = leat__heartbeat_left(h, timeout_ns);

		if (err)
			return err;
		if (leat_chan_is_closed(h->ended))
			return -EPIPE;
		if (left <= 0)
			return -ETIME;
		leat_select(cases, ARRAY_LEN(cases), left, NULL);
	}
}

int leat_heartbeat_wait(leat_heartbeat *h, int64_t timeout_ns, leat_any_ctx ctx)
{
	leat_case cases[3] = {{h->slot, LEAT_RECV, NULL},
	                      {h->ended, LEAT_RECV, NULL},
	                      {(leat_chan *)(void *)leat_ctx_done(ctx), LEAT_RECV, NULL}};
	int err = leat_ctx_err(ctx);
	int chosen;

	if (err)
		return err;
	chosen = leat_select(cases, ARRAY_LEN(cases), time_out(h, timeout_ns), NULL);
	if (chosen == 0)
		return 0;
	if (chosen == 2)
		return leat_ctx_err(ctx);
	/* Of a pulse and an end, or the time, the pulse was first. */
	if (leat_chan_try_recv(h->slot, NULL, NULL))
		return 0;
	return chosen == 1 ? -EPIPE : -ETIME;
}
