/* SPDX-License-Identifier: MIT */
/*
 * Rate limiter: events at so many per second, with bursts.  After Go's golang.org/x/time/rate.
 *
 *	static leat_limiter mails = LEAT_LIMITER(10, 3);        10 a second, 3 at once
 *
 *	if (!leat_limiter_allow(&mails))
 *		return busy();                                  drop what comes too fast
 *
 *	if (leat_limiter_wait_ctx(&mails, ctx) == 0)
 *		send_mail();                                    or slow down
 *
 *	leat_reservation r = leat_limiter_reserve_n(&mails, 1);
 *	leat_sleep(leat_reservation_delay(&r));                 or be told for how long
 *
 * It is a bucket of tokens that is full at first, holds `burst` of them, and is filled at `rate` per second;
 * an event takes one, or n at once.  Tokens may be promised before they are there: who waits has a turn, in
 * the order of the calls, and the tokens are below 0 until then.
 *
 * A rate of LEAT_LIMITER_INF lets all pass, whatever the burst; otherwise a burst of 0 lets none pass.  A rate of
 * 0, or less, fills nothing.  Time is leat_now's; where that stands still or goes back nothing is filled.
 *
 * Zero-initialised it lets none pass.  It needs no destructor and must not be copied after its first use.
 * Any goroutine, any thread, all of it.  n is 0 or more; a negative one panics "rate: negative n".  Only
 * the waits park; all take one lock, read the clock, and allocate nothing but for a timer.
 */
#ifndef LEAT_LIMITER_H
#define LEAT_LIMITER_H

#include <leat/ctx.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_limiter {
	double leat__rate; /* per second */
	int64_t leat__burst;
	double leat__tokens;      /* at the instant `last` */
	int64_t leat__last;       /* when tokens was brought up to date */
	int64_t leat__last_event; /* when the latest event, perhaps one to come, may happen */
	uint8_t leat__lock;
	bool leat__used;         /* the three above are set */
	uint32_t leat__promises; /* how often tokens were taken */
	int64_t leat__aside;     /* taken for events that multi limiters hold up */
} leat_limiter;

/* An initialiser: a double, and an int64_t. */
#define LEAT_LIMITER(rate, burst)                                                                  \
	{                                                                                              \
		(rate), (burst), 0, 0, 0, 0, 0, 0, 0                                                       \
	}

/* Rates: no limit; one event every so many nanoseconds; n events in so many, as LEAT_LIMITER_PER(10, LEAT_MINUTE).
   After rate.Inf and rate.Every, and Per of Cox-Buday's book. */
#define LEAT_LIMITER_INF                 (__builtin_inf())
#define LEAT_LIMITER_EVERY(interval_ns)  (1e9 / (double)(interval_ns))
#define LEAT_LIMITER_PER(n, duration_ns) (1e9 * (double)(n) / (double)(duration_ns))

/* The same for one that is made at run time, and not in use.  After rate.NewLimiter. */
LEAT_API void leat_limiter_init(leat_limiter *l, double rate, int64_t burst);

/* --- at once, or not at all */

/* Take 1 token, or n, if they are there; false, with nothing taken, otherwise.  After Limiter.AllowN. */
LEAT_API bool leat_limiter_allow(leat_limiter *l) LEAT__WARN_UNUSED;
LEAT_API bool leat_limiter_allow_n(leat_limiter *l, int64_t n) LEAT__WARN_UNUSED;

/* --- when it is time */

/*
 * Take 1 token, or n, parking the caller until his turn comes.  Returns 0; otherwise nothing was taken:
 *
 *	-E2BIG          n is more than the burst: that never happens
 *	-ETIME          the turn would come after ctx's deadline; found at once, without waiting
 *	-ECANCELED, -ETIMEDOUT
 *	                ctx is done, or was; turns given meanwhile to others stay when they are
 *
 * NULL is no context, as are the forms without one.  leat_limiter_strerror has Go's words for these.
 * Panics "out of memory" when there is none for a timer, with nothing taken.  After Limiter.WaitN.
 */
LEAT_API int leat_limiter_wait(leat_limiter *l);
LEAT_API int leat_limiter_wait_n(leat_limiter *l, int64_t n) LEAT__WARN_UNUSED;
LEAT_API int leat_limiter_wait_ctx(leat_limiter *l, leat_any_ctx ctx) LEAT__WARN_UNUSED;
LEAT_API int leat_limiter_wait_n_ctx(leat_limiter *l, int64_t n,
                                     leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Write what err, from a wait for n tokens of l, means into text, cut to bytes - 1 characters and a NUL:
 * "rate: Wait(n=N) exceeds limiter's burst B", with the burst as it is now, "rate: Wait(n=N) would exceed
 * context deadline", "context canceled", "context deadline exceeded"; "" for 0.
 * Returns the whole length, as snprintf.
 */
LEAT_API size_t leat_limiter_strerror(leat_limiter *l, int64_t n, int err, char *text,
                                      size_t bytes);

/* --- promised */

/* A promise of tokens.  The caller's, and a value; the limiter must outlive its use. */
typedef struct leat_reservation {
	bool ok;           /* false: n is more than the burst, and nothing was taken */
	int64_t act_at_ns; /* when the event may happen, an instant of leat_now; INT64_MAX: never */
	leat_limiter *leat__limiter;
	int64_t leat__n;
	double leat__rate; /* at that time */
} leat_reservation;

/* Take n tokens now, for an event at the instant in the result.  Never parks.  After Limiter.ReserveN. */
LEAT_API leat_reservation leat_limiter_reserve_n(leat_limiter *l, int64_t n) LEAT__WARN_UNUSED;

/* Nanoseconds until then: 0 when it has come, LEAT_FOREVER when it never will, as where r is not ok.
   After Reservation.Delay. */
LEAT_API int64_t leat_reservation_delay(const leat_reservation *r);

/*
 * The event will not happen: give back those of its tokens that are not promised to later reservations,
 * whose turns stay when they are.  Nothing happens when the instant is past, or the second time.
 * Not while others use the same r.  After Reservation.Cancel.
 */
LEAT_API void leat_reservation_cancel(leat_reservation *r);

/* --- changes */

/* From now on at this rate, or with this burst.  Promises stay as they are.  After Limiter.SetLimit and
   SetBurst. */
LEAT_API void leat_limiter_set_rate(leat_limiter *l, double rate);
LEAT_API void leat_limiter_set_burst(leat_limiter *l, int64_t burst);

/* What they are; the tokens there are at this instant, below 0 while some are promised. */
LEAT_API double leat_limiter_rate(leat_limiter *l);
LEAT_API int64_t leat_limiter_burst(leat_limiter *l);
LEAT_API double leat_limiter_tokens(leat_limiter *l);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_limiter_wait_ctx(...)   __extension__ leat_limiter_wait_ctx(__VA_ARGS__)
#define leat_limiter_wait_n_ctx(...) __extension__ leat_limiter_wait_n_ctx(__VA_ARGS__)
#endif

#endif
