/* SPDX-License-Identifier: MIT */
/*
 * Multi limiter: several rate limiters (leat/limiter.h), its tiers, as one.  After the MultiLimiter of chapter 5 of
 * Cox-Buday's "Concurrency in Go".
 *
 *	static leat_limiter second = LEAT_LIMITER(2, 1), minute = LEAT_LIMITER(LEAT_LIMITER_PER(10, LEAT_MINUTE), 10);
 *	leat_multi_limiter api, reading;
 *
 *	LEAT_MULTI_LIMITER_INIT(&api, LEAT_TIER(&second), LEAT_TIER(&minute));  2 a second, and 10 a minute
 *	LEAT_MULTI_LIMITER_INIT(&reading, LEAT_TIER(&api), LEAT_TIER(&disk));   and what the disk allows
 *
 *	if (leat_multi_limiter_wait_ctx(&reading, ctx) == 0)
 *		read_file();
 *
 * An event takes its tokens from all tiers at one instant, when all have them, or from none.  So in any stretch of w
 * nanoseconds no tier lets more pass than its burst and what its rate fills in w, however many multi limiters share
 * it, and whoever gives up leaves every tier as it was.  (Where waits for one tier after the other would take tokens
 * of the first long before the event, which come on top of what has been filled by then, or would lose them.)
 *
 * Tiers are the caller's, may be used by themselves and by other multi limiters, and must outlive this one.  A multi
 * limiter as a tier stands for its own tiers as of then; a limiter that comes in several times counts once.
 *
 * Who waits has a turn in the order of the calls on this multi limiter.  The first of them has his place kept in the
 * tier whose tokens come last; the others take nothing.  Those who ask its tiers by themselves, or by way of other
 * multi limiters, compete with him for the rest.  When they have been quicker for five rounds his place is kept in all
 * tiers, so that no flood at the tiers delays him for ever.  A reservation counts at its instant, whenever its event
 * happens.
 *
 * Zero-initialised it has no tiers, and lets all pass.  It needs no destructor and must not be copied after its first
 * use.  Any goroutine, any thread, all but the init.  n is 0 or more; a negative one panics "rate: negative n".
 * Only the waits park; nothing allocates but for a timer.  A call costs a lock per tier, and the clock.
 */
#ifndef LEAT_MULTI_LIMITER_H
#define LEAT_MULTI_LIMITER_H

#include <leat/limiter.h>
#include <leat/semaphore.h>

#define LEAT_MULTI_LIMITER_TIERS 8

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_multi_limiter {
	leat_limiter *leat__tiers[LEAT_MULTI_LIMITER_TIERS]; /* by rate, the strictest first */
	uint8_t leat__order[LEAT_MULTI_LIMITER_TIERS];       /* the same, by address */
	uint8_t leat__count;
	uint8_t leat__kept_in; /* 0, or 1 + the tier that the first who waits has taken from, */
	int64_t leat__kept;    /* and how much */
	int64_t leat__waiting; /* tokens that all who wait want */
	leat_semaphore leat__first;
} leat_multi_limiter;

/* One of the two; LEAT_TIER makes one from either. */
typedef struct leat_tier {
	leat_limiter *limiter;
	leat_multi_limiter *multi;
} leat_tier;

/*
 * Make m, which is not in use, of n tiers; they are sorted by their rates.
 *
 * Panics "multi_limiter: nil tier" where both pointers of one are NULL, and "multi_limiter: more than 8 tiers", with
 * those of tiers counted; m is then without tiers.
 */
LEAT_API void leat_multi_limiter_init(leat_multi_limiter *m, const leat_tier *tiers, size_t n);

/* --- at once, or not at all */

/* Take 1 token, or n, from each tier if all have them and nobody waits; false, with nothing taken, otherwise. */
LEAT_API bool leat_multi_limiter_allow(leat_multi_limiter *m) LEAT__WARN_UNUSED;
LEAT_API bool leat_multi_limiter_allow_n(leat_multi_limiter *m, int64_t n) LEAT__WARN_UNUSED;

/* --- when it is time */

/*
 * Take 1 token, or n, from each tier, parking the caller until all have them.  Returns 0; otherwise nothing was
 * taken, and what the first who waits had taken ahead is back, but for tokens that later reservations of that tier
 * were promised:
 *
 *	-E2BIG          n is more than a tier's burst: that never happens
 *	-ETIME          the turn would come after ctx's deadline, all who wait before counted; found at once, or later
 *	                where others take tokens of a tier meanwhile
 *	-ECANCELED, -ETIMEDOUT
 *	                ctx is done, or was
 *
 * NULL is no context, as are the forms without one.  Panics "out of memory" when there is none for a timer, with
 * nothing taken.
 */
LEAT_API int leat_multi_limiter_wait(leat_multi_limiter *m);
LEAT_API int leat_multi_limiter_wait_n(leat_multi_limiter *m, int64_t n) LEAT__WARN_UNUSED;
LEAT_API int leat_multi_limiter_wait_ctx(leat_multi_limiter *m, leat_any_ctx ctx) LEAT__WARN_UNUSED;
LEAT_API int leat_multi_limiter_wait_n_ctx(leat_multi_limiter *m, int64_t n,
                                           leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* --- promised */

/* A promise of tokens of all tiers.  The caller's, and a value; the multi limiter must outlive its use. */
typedef struct leat_multi_reservation {
	bool ok;           /* false: n is more than a tier's burst, and nothing was taken */
	int64_t act_at_ns; /* when the event may happen, an instant of leat_now; INT64_MAX: never */
	leat_multi_limiter *leat__limiter;
	int64_t leat__n;
	struct leat__promise {
		double rate, forgone;
		int64_t before;
		uint32_t promises;
	} leat__promises[LEAT_MULTI_LIMITER_TIERS];
} leat_multi_reservation;

/*
 * Take n tokens of each tier now, for an event at the instant in the result, the latest of the tiers'.  Never parks.
 * Those who wait have taken nothing yet, but for the first, and so come later.
 *
 * A tier that could have let it pass earlier keeps these tokens until then, and so can fill less for others, who may
 * come little before that instant; wait where tiers of very different rates are shared.
 */
LEAT_API leat_multi_reservation leat_multi_limiter_reserve_n(leat_multi_limiter *m,
                                                             int64_t n) LEAT__WARN_UNUSED;

/* Nanoseconds until then: 0 when it has come, LEAT_FOREVER when it never will. */
LEAT_API int64_t leat_multi_reservation_delay(const leat_multi_reservation *r);

/*
 * The event will not happen.  A tier from which nobody took anything since is as if it had never been promised; from
 * another those tokens come back that are not promised to later ones.  Nothing happens when the instant is past, or
 * the second time.  Not while others use the same r.
 */
LEAT_API void leat_multi_reservation_cancel(leat_multi_reservation *r);

/* --- asking */

/* The lowest rate, burst and number of tokens of any tier, as they are now; LEAT_LIMITER_INF, INT64_MAX and
   LEAT_LIMITER_INF without tiers.  A tier of rate LEAT_LIMITER_INF has no say in the other two. */
LEAT_API double leat_multi_limiter_rate(leat_multi_limiter *m);
LEAT_API int64_t leat_multi_limiter_burst(leat_multi_limiter *m);
LEAT_API double leat_multi_limiter_tokens(leat_multi_limiter *m);

/* The i-th of its limiters, the one with the lowest rate as of the init first; NULL where there are fewer. */
LEAT_API leat_limiter *leat_multi_limiter_tier(const leat_multi_limiter *m, size_t i);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_multi_limiter_wait_ctx(...)   __extension__ leat_multi_limiter_wait_ctx(__VA_ARGS__)
#define leat_multi_limiter_wait_n_ctx(...) __extension__ leat_multi_limiter_wait_n_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_TIER(l): the tier that is the leat_limiter *l or the leat_multi_limiter *l. */
#define LEAT_TIER(l)                                                                               \
	{                                                                                              \
		_Generic((l), leat_limiter *                                                               \
		         : (l), leat_multi_limiter *                                                       \
		         : NULL),                                                                          \
		    _Generic((l), leat_limiter *                                                           \
		             : NULL, leat_multi_limiter *                                                  \
		             : (l))                                                                        \
	}

/* LEAT_MULTI_LIMITER_INIT(m, tier, ...): leat_multi_limiter_init of what LEAT_TIER makes. */
#define LEAT_MULTI_LIMITER_INIT(m, ...)                                                            \
	leat_multi_limiter_init((m), (const leat_tier[]){__VA_ARGS__},                                 \
	                        sizeof((const leat_tier[]){__VA_ARGS__}) / sizeof(leat_tier))

#endif /* !__cplusplus */

#endif
