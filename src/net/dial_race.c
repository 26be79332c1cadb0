/* SPDX-License-Identifier: MIT */
/*
 * Dialling a host that has several addresses, after RFC 8305 ("happy eyeballs") as Go has it.
 *
 * The addresses of the family that the first one is of are tried one after the other by the caller; those of the other family
 * by a goroutine, which lets the caller have a start, or begins as soon as he has failed.  Who is connected first cancels the
 * other.  The caller returns when both have ended, so they share what is on his stack.
 *
 * Of a deadline each address in turn gets its part of the time that is left, 2 s at least.
 */
#include "net/dial.h"
#include "io/sock.h"

#include <leat/defer.h>
#include <leat/select.h>
#include <leat/time.h>
#include <leat/waitgroup.h>

#include <errno.h>

#define START_DEFAULT (300 * LEAT_MILLISECOND)
#define PART_MIN      (2 * LEAT_SECOND)

/* The deadline of the first of n addresses. */
static int64_t part_of(leat_ctx *ctx, size_t n)
{
	int64_t deadline, now = leat_now(), left, part;

	if (!ctx || !leat_ctx_deadline((leat_any_ctx)ctx, &deadline))
		return LEAT_FOREVER;
	left = deadline - now;
	part = left / (int64_t)n;
	if (part < PART_MIN)
		part = left < PART_MIN ? left : PART_MIN;
	return now + part;
}

/* Those of the list that are of this family, or of others (!same). */
static struct leat__dialled leat__dial_serial(const struct leat__dial *d, const leat_addr *list,
                                              size_t n, int family, bool same, leat_ctx *ctx)
{
	struct leat__dialled first = {0}, next;
	bool any = false;
	size_t left = 0;

	for (size_t i = 0; i < n; i++)
		left += (list[i].any.sa_family == family) == same;
	for (size_t i = 0; i < n; i++) {
		if ((list[i].any.sa_family == family) != same)
			continue;
		next = leat__dial_one(d, &list[i], ctx, part_of(ctx, left--));
		if (next.conn)
			return next;
		if (!any)
			first = next;
		any = true;
		if (ctx && leat_ctx_err((leat_any_ctx)ctx))
			break;
	}
	return first;
}

struct race {
	const struct leat__dial *dial;
	const leat_addr *list;
	size_t n;
	leat_ctx *ctx;   /* done: somebody has won, or the caller gives up */
	leat_ctx *start; /* done: the caller has failed */
	leat_waitgroup running;
	struct leat__dialled other; /* of who falls back, until it has ended */
};

struct leat__fall_back {
	struct race *race;
};

static void leat__fall_back(void *arg)
{
	struct race *r = ((struct leat__fall_back *)arg)->race;
	int64_t delay = r->dial->opts->fallback_delay_ns;

	leat_sleep_ctx(delay ? delay : START_DEFAULT, (leat_any_ctx)r->start);
	if (leat_ctx_err((leat_any_ctx)r->ctx))
		return;
	r->other = leat__dial_serial(r->dial, r->list, r->n, r->list[0].any.sa_family, false, r->ctx);
	if (r->other.conn)
		leat_ctx_cancel((leat_any_ctx)r->ctx);
}

/* In whichever way the caller leaves. */
static void leat__end_race(struct race *r)
{
	if (r->ctx)
		leat_ctx_cancel((leat_any_ctx)r->ctx);
	leat_waitgroup_wait(&r->running);
	leat_conn_free(r->other.conn);
	leat_ctx_free(r->start);
	leat_ctx_free(r->ctx);
}

static bool is_mixed(const leat_addr *list, size_t n)
{
	for (size_t i = 1; i < n; i++)
		if (list[i].any.sa_family != list[0].any.sa_family)
			return true;
	return false;
}

struct leat__dialled leat__dial_race(const struct leat__dial *d, const leat_addr *list, size_t n,
                                     leat_ctx *ctx)
{
	struct race r = {.dial = d, .list = list, .n = n};
	int family = list[0].any.sa_family;
	struct leat__dialled mine;
	LEAT_DEFER(leat__end_race, &r);

	if (d->opts->fallback_delay_ns < 0 || !is_mixed(list, n)) {
		mine = leat__dial_serial(d, list, n, family, true, ctx);
		if (mine.conn || !is_mixed(list, n) || (ctx && leat_ctx_err((leat_any_ctx)ctx)))
			return mine;
		r.other = leat__dial_serial(d, list, n, family, false, ctx);
	} else {
		r.ctx = leat_ctx_with_cancel((leat_any_ctx)(ctx ? ctx : leat_ctx_background()));
		r.start = leat_ctx_with_cancel((leat_any_ctx)r.ctx);
		leat_waitgroup_go(&r.running, leat__fall_back, &(struct leat__fall_back){&r},
		                  sizeof(struct leat__fall_back));
		mine = leat__dial_serial(d, list, n, family, true, r.ctx);
		leat_ctx_cancel((leat_any_ctx)(mine.conn ? r.ctx : r.start));
		leat_waitgroup_wait(&r.running);
	}
	if (!mine.conn && r.other.conn) {
		mine = r.other;
		r.other.conn = NULL;
	}
	return mine;
}
