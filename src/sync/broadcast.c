/* SPDX-License-Identifier: MIT */
/*
 * Broadcasts: a list of subscriptions, each with a buffered channel, under a mutex.
 *
 * A send goes over the list with the mutex held and gives each channel the value, as any sender does, or drops one
 * by the policy.  So sends are in an order, each subscriber has all that were sent after it came, and a
 * drop counts once.
 *
 * By the policy that blocks a send may have to wait for room.  It waits in the channel's queue of senders like any
 * sender, with the mutex let go, for nobody may be kept from subscribing and unsubscribing by a subscriber that
 * does not read.  Its turn it keeps: turn is a channel with room for one, into which each sender puts something
 * first.  A channel, since to wait for one's turn must end with the context too, and goes in the order of arrival.
 *
 * Invariants (the mutex)
 *  - Who has the turn alone uses cursor, blocked_on and the owed of subscriptions, or there is no turn.
 *  - owed: a send that has the turn went over the list, found this one full, and has yet to come back to it.  Who
 *    subscribes later is owed nothing.
 *  - cursor is NULL or on the list: who takes a subscription off moves it on.
 *  - blocked_on may be off the list: then it is gone, and is freed by the send that waits for it.  That send is woken
 *    by a close of the channel, and needs the channel until it has the mutex again, for its context may have woken
 *    it first.
 *
 * missed is under the channel's lock, so that a drop and its count are one.  Lock order: the mutex, a channel's.
 *
 * Rejected: one ring for all with a cursor per subscriber.  It copies once, not once per subscriber, but its reader
 * is no channel, which select, range and ctx know.
 */
#include "sync/broadcast.h"

#include "ctx/chan.h"
#include "sched/panic.h"

#include <errno.h>
#include <stdlib.h>

struct leat__subscription {
	struct leat__subscription *next, *prev;
	struct leat_broadcast *owner; /* never changes, as chan */
	leat_chan *chan;
	uint64_t missed;
	bool owed, gone;
};

/* --- one subscription.  The mutex is held, but in the end */

/* Give s the value, or drop one, if that needs no waiting: true. */
static bool leat__give(const struct leat_broadcast *b, struct leat__subscription *s,
                       const void *elem)
{
	struct leat__m *m = leat__enter();
	leat_chan *c = s->chan;
	enum leat__outcome outcome;

	leat__chan_lock(m, c);
	outcome = leat__send_locked(m, c, elem, false);
	if (outcome == LEAT__BLOCKS && b->policy != LEAT_BROADCAST_BLOCK) {
		s->missed++;
		if (b->policy == LEAT_BROADCAST_DROP_OLDEST && c->cap) {
			/* Full: the place of the oldest is that of the next. */
			leat__buffer_get(c, NULL);
			leat__buffer_put(c, elem);
		}
	}
	if (outcome != LEAT__DONE)
		leat__chan_unlock(m, c);
	leat__leave(m);
	return outcome != LEAT__BLOCKS || b->policy != LEAT_BROADCAST_BLOCK;
}

static void leat__miss(struct leat__subscription *s)
{
	struct leat__m *m = leat__enter();

	leat__chan_lock(m, s->chan);
	s->missed++;
	leat__chan_unlock(m, s->chan);
	leat__leave(m);
}

static bool leat__awaited(const struct leat__subscription *s)
{
	struct leat__m *m = leat__enter();
	bool awaited;

	leat__chan_lock(m, s->chan);
	awaited = s->chan->receivers.first != NULL;
	leat__chan_unlock(m, s->chan);
	leat__leave(m);
	return awaited;
}

static void leat__shut(const struct leat__subscription *s, const leat_error *reason)
{
	struct leat__m *m = leat__enter();

	leat__chan_close_with(m, s->chan, reason);
	leat__leave(m);
}

static void subscription_free(struct leat__subscription *s)
{
	leat__chan_delete(s->chan);
	free(s);
}

/* --- sending */

/* Wait until s has room and the value; 0 too when it goes meanwhile.  The mutex is let go in between. */
static int leat__deliver(struct leat_broadcast *b, struct leat__subscription *s, const void *elem,
                         leat_ctx *ctx)
{
	int err;

	b->blocked_on = s;
	leat_mutex_unlock(&b->lock);
	err = leat__chan_do_ctx(leat__enter(), s->chan, (void *)(uintptr_t)elem, LEAT__SENDS, ctx);
	leat_mutex_lock(&b->lock);
	b->blocked_on = NULL;
	if (err == -EPIPE && !b->closed)
		err = 0;
	if (s->gone)
		subscription_free(s);
	else if (err && err != -EPIPE)
		leat__miss(s);
	return err;
}

/* Those to whom the value is owed, one after the other; once ctx is done only if they have room by now. */
static int leat__deliver_owed(struct leat_broadcast *b, const void *elem, leat_ctx *ctx)
{
	struct leat__subscription *s;
	int err = 0;

	b->cursor = b->first;
	while ((s = b->cursor)) {
		b->cursor = s->next;
		if (!s->owed)
			continue;
		s->owed = false;
		if (!err)
			err = leat__deliver(b, s, elem, ctx);
		else if (err != -EPIPE && !leat__give(b, s, elem))
			leat__miss(s);
	}
	return err;
}

/* Whose turn it is. */
static int leat__send_now(struct leat_broadcast *b, const void *elem, leat_ctx *ctx)
{
	bool owed = false;
	int err = 0;

	leat_mutex_lock(&b->lock);
	if (b->closed) {
		leat_mutex_unlock(&b->lock);
		return -EPIPE;
	}
	if (b->newest) {
		leat__copy(b->newest, elem, b->elem_bytes);
		b->sent = true;
	}
	for (struct leat__subscription *s = b->first; s; s = s->next)
		if (!leat__give(b, s, elem))
			owed = s->owed = true;
	if (owed)
		err = leat__deliver_owed(b, elem, ctx);
	leat_mutex_unlock(&b->lock);
	return err;
}

int leat__broadcast_send(struct leat_broadcast *b, const void *elem, leat_ctx *ctx)
{
	int err;

	if (!b->turn) {
		err = leat_ctx_err((leat_any_ctx)ctx);
		return err ? err : leat__send_now(b, elem, ctx);
	}
	err = leat__ctx_begin_wait(ctx);
	if (err)
		return err;
	err = leat__chan_do_ctx(leat__enter(), b->turn, NULL, LEAT__SENDS, ctx);
	if (!err) {
		err = leat__send_now(b, elem, ctx);
		leat_chan_recv(b->turn, NULL);
	}
	leat__ctx_end_wait(ctx);
	return err;
}

int leat_broadcast_send_ctx(leat_broadcast *b, const void *elem, leat_any_ctx ctx)
{
	int err = leat__broadcast_send(b, elem, ctx.leat__ctx);

	if (unlikely(err == -EPIPE))
		leat__panic_runtime("send on closed broadcast");
	return err;
}

void leat_broadcast_send(leat_broadcast *b, const void *elem)
{
	if (leat__broadcast_send(b, elem, NULL))
		leat__panic_runtime("send on closed broadcast");
}

/* --- subscribing */

leat_chan *leat__broadcast_subscribe(struct leat_broadcast *b)
{
	leat_chan *c = leat__chan_new(b->elem_bytes, b->cap);
	struct leat__subscription *s = calloc(1, sizeof *s);

	if (!s) {
		leat__chan_delete(c);
		leat__panic_runtime("out of memory");
	}
	s->owner = b;
	s->chan = c;
	c->subscription = s;
	leat_mutex_lock(&b->lock);
	s->prev = b->last;
	if (b->last)
		b->last->next = s;
	else
		b->first = s;
	b->last = s;
	if (b->sent)
		leat__give(b, s, b->newest);
	if (b->closed)
		leat__shut(s, b->reason);
	leat_mutex_unlock(&b->lock);
	return c;
}

leat_chan *leat_broadcast_subscribe(leat_broadcast *b)
{
	return leat__broadcast_subscribe(b);
}

/* The mutex is held. */
static void take_off(struct leat_broadcast *b, struct leat__subscription *s)
{
	if (b->cursor == s)
		b->cursor = s->next;
	if (s->prev)
		s->prev->next = s->next;
	else
		b->first = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		b->last = s->prev;
	s->gone = true;
}

int leat__broadcast_unsubscribe(struct leat_broadcast *b, leat_chan *c)
{
	struct leat__subscription *s = c ? leat__chan_subscription(c) : NULL;
	bool awaited, blocked;

	if (!c)
		return 0;
	if (!s || s->owner != b)
		return -EINVAL;
	leat_mutex_lock(&b->lock);
	awaited = leat__awaited(s);
	blocked = b->blocked_on == s;
	if (!awaited) {
		take_off(b, s);
		if (blocked)
			leat__shut(s, NULL);
	}
	leat_mutex_unlock(&b->lock);
	if (awaited)
		return -EBUSY;
	if (!blocked)
		subscription_free(s);
	return 0;
}

void leat_broadcast_unsubscribe(leat_broadcast *b, leat_chan *subscription)
{
	int err = leat__broadcast_unsubscribe(b, subscription);

	if (err)
		leat__panic_runtime(
		    err == -EBUSY ? "broadcast_unsubscribe: goroutines are waiting on the subscription"
		                  : "broadcast_unsubscribe: not a subscription of this broadcast");
}

uint64_t leat_broadcast_lagged(leat_chan *c)
{
	struct leat__subscription *s = NULL;
	struct leat__m *m;
	uint64_t missed;

	if (c) {
		leat__chan_check(c);
		s = leat__chan_subscription(c);
	}
	if (!s)
		return 0;
	m = leat__enter();
	leat__chan_lock(m, c);
	missed = s->missed;
	s->missed = 0;
	leat__chan_unlock(m, c);
	leat__leave(m);
	return missed;
}

/* --- beginning and end */

bool leat__broadcast_close(struct leat_broadcast *b, const leat_error *reason)
{
	bool closed;

	leat_mutex_lock(&b->lock);
	closed = b->closed;
	if (!closed) {
		b->closed = true;
		b->reason = leat_error_retain(reason);
		for (struct leat__subscription *s = b->first; s; s = s->next)
			leat__shut(s, reason);
	}
	leat_mutex_unlock(&b->lock);
	return !closed;
}

void leat_broadcast_close_with(leat_broadcast *b, const leat_error *reason)
{
	if (!leat__broadcast_close(b, reason))
		leat__panic_runtime("close of closed broadcast");
}

void leat_broadcast_close(leat_broadcast *b)
{
	leat_broadcast_close_with(b, NULL);
}

leat_broadcast *leat_broadcast_make(size_t elem_bytes, ptrdiff_t cap, leat_broadcast_policy policy)
{
	const char *wrong = leat__chan_size_error(elem_bytes, cap);
	leat_chan *turn = NULL;
	leat_broadcast *b;

	if ((unsigned)policy > LEAT_BROADCAST_DROP_NEWEST)
		wrong = "broadcast_make: no such policy";
	if (wrong)
		leat__panic_runtime(wrong);
	if (policy == LEAT_BROADCAST_BLOCK)
		turn = leat__chan_new(0, 1);
	b = calloc(1, sizeof *b);
	if (!b) {
		if (turn)
			leat__chan_delete(turn);
		leat__panic_runtime("out of memory");
	}
	leat__broadcast_init(b, elem_bytes, cap, policy);
	b->turn = turn;
	return b;
}

bool leat__broadcast_end(struct leat_broadcast *b)
{
	struct leat__subscription *s, *next;

	for (s = b->first; s; s = s->next)
		if (leat__awaited(s))
			return false;
	for (s = b->first; s; s = next) {
		next = s->next;
		subscription_free(s);
	}
	leat_error_free(b->reason);
	return true;
}

void leat_broadcast_free(leat_broadcast *b)
{
	if (!b)
		return;
	if (leat_chan_len(b->turn))
		leat__panic_runtime("broadcast_free: a send is under way");
	if (!leat__broadcast_end(b))
		leat__panic_runtime("broadcast_free: goroutines are waiting on a subscription");
	if (b->turn)
		leat__chan_delete(b->turn);
	free(b);
}
