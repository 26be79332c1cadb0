/* SPDX-License-Identifier: MIT */
/* What the tests of stewards share: a hook that keeps what it is told, and wards that are counted. */
#ifndef STEWARD_HELP_H
#define STEWARD_HELP_H

#include "test.h"

#include <errno.h>
#include <stdatomic.h>

#define MS LEAT_MILLISECOND

/* What the hook was told, and the wards that live. */
struct record {
	leat_ctx *ctx;
	int stop_after; /* restarts until the hook cancels ctx */
	int n;
	leat_steward_event events[64];
	char panic[240];
	atomic_int alive, starts, told, release;
};

static inline void note(const leat_steward_event *e, void *arg)
{
	struct record *r = arg;

	if (e->reason != LEAT_STEWARD_STUCK)
		CHECK_EQ(atomic_load(&r->alive), 0);
	if (r->n < 64)
		r->events[r->n] = *e;
	r->n++;
	if (e->panic)
		snprintf(r->panic, sizeof r->panic, "%s", e->panic->message);
	atomic_fetch_add(&r->told, 1);
	if (r->ctx && r->n == r->stop_after)
		leat_ctx_cancel(r->ctx);
}

static inline void born(leat_ward *w, struct record *r)
{
	CHECK_EQ(atomic_fetch_add(&r->alive, 1), 0);
	CHECK_EQ(w->start, (uint64_t)atomic_fetch_add(&r->starts, 1));
}

static inline int died(struct record *r, int err)
{
	atomic_fetch_sub(&r->alive, 1);
	return err;
}

static inline void check_event(const leat_steward_event *e, enum leat_steward_reason reason,
                               uint64_t start, int err)
{
	CHECK_STR(leat_steward_reason_string(e->reason), leat_steward_reason_string(reason));
	CHECK_EQ(e->start, start);
	CHECK_EQ(e->err, err);
}

/* Says nothing, and waits for its end. */
static inline int irresponsible(leat_ward *w)
{
	struct record *r = w->arg;

	born(w, r); /* "Hello, I'm irresponsible!", and no beat */
	chan_recv(leat_scope_done(w->scope));
	return died(r, 0);
}

/* Fails, but for the 101st time. */
static inline int fails(leat_ward *w)
{
	struct record *r = w->arg;

	born(w, r);
	return died(r, w->start == 100 ? 0 : -EIO);
}

/* Waits for its end, and may bring it about. */
static inline int until_done(leat_ward *w)
{
	struct record *r = w->arg;

	born(w, r);
	if (r->ctx)
		leat_ctx_cancel(r->ctx);
	chan_recv(leat_scope_done(w->scope));
	return died(r, 0);
}

#endif
