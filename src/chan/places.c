/* SPDX-License-Identifier: MIT */
/*
 * What ThreadSanitizer is told about channels.  Under the channel's lock, but for who waited.
 *
 * Three edges are promised: a send before the receive of its value; a receive before the send that may use its
 * place, without a buffer the very same one; a close before what ends because of it (chan.c).  Two goroutines that
 * meet both know the other, so it would be easy to order each after the other: too much where there is a buffer,
 * since a send that has a place need not wait for anybody.  What one of the two did before is therefore given to
 * the place, as a token, and is redeemed by the one who uses that place next.
 *
 * What is told at the address of a waiter is for its goroutine alone.
 */
#include "chan/chan.h"

/* Further places count as these: that orders too much, never too little. */
#define PLACES_MAX ((size_t)65536)

static size_t rounded(size_t bytes)
{
	return (bytes + 15) & ~(size_t)15;
}

static size_t number(size_t cap)
{
	return cap < PLACES_MAX ? cap : PLACES_MAX;
}

size_t leat__san_places_bytes(size_t cap, size_t buffer_bytes)
{
	if (!cap)
		return 0;
	return rounded(buffer_bytes) - buffer_bytes + sizeof(struct leat__places) +
	       number(cap) * sizeof(struct leat__place);
}

/* NULL: it has none.  Of a cond's queue there is only what is read here (chan.h). */
static struct leat__places *places_of(struct leat_chan *c)
{
	return c->cap ? (struct leat__places *)(void *)(c->buffer + rounded(c->buffer_bytes)) : NULL;
}

void leat__san_add_places(struct leat_chan *c)
{
	struct leat__places *p = places_of(c);

	if (!p)
		return;
	leat__zero(p, sizeof *p + number(c->cap) * sizeof p->all[0]);
	p->n = number(c->cap);
}

void leat__san_drop_places(struct leat_chan *c)
{
	struct leat__places *p = places_of(c);

	for (size_t i = 0; p && i < p->n; i++)
		leat__san_drop(p->all[i].token);
}

/* The place at *at, which is then the next one. */
static struct leat__place *next(struct leat__places *p, size_t *at)
{
	struct leat__place *place = &p->all[*at];

	*at = (*at + 1) % p->n;
	return place;
}

/* The caller is in this place. */
static void use(struct leat__place *place)
{
	leat__san_redeem(place->token);
	place->token = NULL;
	leat__san_acquire(place);
	leat__san_release(place);
}

/* What the goroutine of w did before it waits, or NULL.  Of a select's waiters one is served, and others may be
   queued even then; what is left the goroutine drops. */
static void *take_token(const struct leat__waiter *w)
{
	return __atomic_exchange_n(&w->g->token, NULL, __ATOMIC_ACQ_REL);
}

/* w is not, but whoever comes after it shall think so. */
static void use_for(struct leat__place *place, const struct leat__waiter *w)
{
	leat__san_redeem(place->token);
	place->token = take_token(w);
}

void leat__san_waits(const struct leat_chan *c, struct leat__waiter *w)
{
	void **token = &w->g->token;

	leat__san_renew(w);
	leat__san_release(w);
	if (c->cap && !__atomic_load_n(token, __ATOMIC_RELAXED))
		__atomic_store_n(token, leat__san_token(), __ATOMIC_RELEASE);
}

void leat__san_waited(struct leat__waiter *w, bool served)
{
	if (served)
		leat__san_acquire(w);
	leat__san_drop(take_token(w));
}

void leat__san_sent(struct leat_chan *c)
{
	struct leat__places *p = places_of(c);

	use(next(p, &p->to));
}

void leat__san_received(struct leat_chan *c)
{
	struct leat__places *p = places_of(c);

	use(next(p, &p->from));
}

/* Both sides happen before what either does afterwards. */
static void meet(const struct leat__waiter *w)
{
	leat__san_acquire(w);
	leat__san_release(w);
}

void leat__san_serves_receiver(struct leat_chan *c, struct leat__waiter *w)
{
	struct leat__places *p = places_of(c);

	if (!p) {
		meet(w);
		return;
	}
	leat__san_sent(c);
	leat__san_release(w);
	use_for(next(p, &p->from), w);
}

void leat__san_serves_sender(struct leat_chan *c, struct leat__waiter *w)
{
	struct leat__places *p = places_of(c);

	if (!p) {
		meet(w);
		return;
	}
	/* The caller has received from that very place. */
	leat__san_release(w);
	use_for(next(p, &p->to), w);
}
