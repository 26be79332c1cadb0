/* SPDX-License-Identifier: MIT */
/*
 * Rate limiters for what is built of them: the same operations on one that is locked.
 *
 * The locks of several may be held at once if they are taken in the order of their addresses.
 */
#ifndef LEAT_SYNC_LIMITER_H
#define LEAT_SYNC_LIMITER_H

#include "sched/panic.h"

#include <leat/limiter.h>

static inline bool leat__limiter_unlimited(double rate)
{
	return rate == LEAT_LIMITER_INF;
}

static inline void leat__limiter_check_n(int64_t n)
{
	if (unlikely(n < 0))
		leat__panic_runtime("rate: negative n");
}

/* In how many nanoseconds n more tokens would be there, whatever the burst; 0: they are; INT64_MAX: never. */
int64_t leat__limiter_turn(leat_limiter *l, double n, int64_t now);

/* Forgo what could not be kept until that instant beside tokens that are taken now for an event then: how much.  What
   is set aside and what is left are never more than the burst together. */
double leat__limiter_forgo(leat_limiter *l, int64_t now, int64_t at);

/* Take n tokens, there or not, for an event at that instant. */
leat_reservation leat__limiter_take(leat_limiter *l, int64_t n, int64_t now, int64_t at);

/*
 * The same for an event that may have to wait longer for something else: the tokens lie beside the bucket until they
 * are used, or given back after a use that was none, and take room in it.
 */
leat_reservation leat__limiter_set_aside(leat_limiter *l, int64_t n, int64_t now, int64_t at);

/* In how many nanoseconds they are there; more than 0 at their instant where others were late to use theirs. */
int64_t leat__limiter_turn_aside(leat_limiter *l, const leat_reservation *r, int64_t now);

/* The event happens now. */
void leat__limiter_use(leat_limiter *l, const leat_reservation *r);

/* The event of r does not happen, whether or not its instant is past: put back those of its tokens that are not
   promised to later ones. */
void leat__limiter_give_back(leat_limiter *l, const leat_reservation *r, int64_t now);

/* Not locked, between leat__ctx_begin_wait and leat__ctx_end_wait: park until that instant, 0; or until ctx is
   done: why.  -ENOMEM: without having parked. */
int leat__limiter_sleep(int64_t until, leat_ctx *ctx);

#endif
