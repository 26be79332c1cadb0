/* SPDX-License-Identifier: MIT */
/* Broadcasts for what is built on them: latest values.  All of it out of the runtime. */
#ifndef LEAT_SYNC_BROADCAST_H
#define LEAT_SYNC_BROADCAST_H

#include "chan/chan.h"

#include <leat/broadcast.h>
#include <leat/mutex.h>

struct leat__subscription;

struct leat_broadcast {
	leat_mutex lock; /* protects all that follows turn */
	/* These never change. */
	size_t elem_bytes;
	ptrdiff_t cap;
	leat_broadcast_policy policy;
	leat_chan *turn; /* full while somebody sends; NULL: by this policy nobody waits */

	struct leat__subscription *first, *last; /* in the order they came */
	struct leat__subscription *cursor;       /* the next one that a send that waits looks at */
	struct leat__subscription *blocked_on;   /* the one that it waits for */
	void *newest; /* what was sent last is kept here (never changes); NULL: it is not */
	bool sent;    /* that holds a value */
	bool closed;
	const leat_error *reason; /* held */
};

/* Zeroed b becomes one; the policy does not block. */
static inline void leat__broadcast_init(struct leat_broadcast *b, size_t elem_bytes, ptrdiff_t cap,
                                        leat_broadcast_policy policy)
{
	b->elem_bytes = elem_bytes;
	b->cap = cap;
	b->policy = policy;
}

/* b ends, with its subscriptions: true; false, and nothing happened, when somebody waits on one of these. */
bool leat__broadcast_end(struct leat_broadcast *b);

/* As leat_broadcast_subscribe; the first value is the newest, if that is kept. */
leat_chan *leat__broadcast_subscribe(struct leat_broadcast *b);

/* 0; -EBUSY when somebody waits on it, -EINVAL when it is none of b's. */
int leat__broadcast_unsubscribe(struct leat_broadcast *b, leat_chan *subscription);

/* 0, or -EPIPE when b is closed, or why ctx, which may be NULL, is done. */
int leat__broadcast_send(struct leat_broadcast *b, const void *elem, leat_ctx *ctx);

/* False when it was closed already. */
bool leat__broadcast_close(struct leat_broadcast *b, const leat_error *reason);

#endif
