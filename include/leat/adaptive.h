/* SPDX-License-Identifier: MIT */
/*
 * Adaptive limit of concurrency: as many calls at a time as who is called can take, found out from how they go.
 *
 *	static leat_adaptive database = LEAT_ADAPTIVE(.queue = 100);
 *
 *	leat_adaptive_ticket t;
 *	if ((err = leat_adaptive_acquire_ctx(&database, &t, ctx)))
 *		return err;                                     -EAGAIN: too many wait already
 *	err = query(...);
 *	leat_adaptive_release(&database, t, err ? LEAT_ADAPTIVE_DROPPED : LEAT_ADAPTIVE_OK);
 *
 * There are two ways to find it.
 *
 * LEAT_ADAPTIVE_GRADIENT goes by the time that calls take, and needs no call to fail.  What is more than the least that
 * they ever took is time in a queue, over there; so limit * least / now calls are being worked on, and that, with some
 * slack to keep the queue from running empty, is the next limit: the window of FAST TCP (Wei, Jin, Low, Hegde, 2006),
 *
 *	limit = min(2 limit, (limit + limit * least / now + slack) / 2)
 *
 * once for each round: as many calls as the limit, 30 at least, of which the mean counts.  It begins with doubling, until
 * there is a queue.  The least is that since the last probe: a round at half the limit, which lets the queue drain, every
 * `window_ns`, and again as long as that finds a time a tenth shorter.  So times that grow for good become the new least.
 *
 * LEAT_ADAPTIVE_AIMD goes by what is dropped: additive increase, by 1 for as many calls as the limit that went well, and
 * multiplicative decrease, by a factor, when one is dropped (Chiu and Jain, 1989; Jacobson, 1988), of which those that
 * began before the last decrease tell nothing new.  It doubles until the first.  What takes too long counts only if the
 * program says so.
 *
 * Either way the limit does not grow while less than half of it is in use.
 */
#ifndef LEAT_ADAPTIVE_H
#define LEAT_ADAPTIVE_H

#include <leat/ctx.h>

LEAT__BEGIN

typedef enum leat_adaptive_algorithm {
	LEAT_ADAPTIVE_GRADIENT,
	LEAT_ADAPTIVE_AIMD,
} leat_adaptive_algorithm;

/* How a call has ended. */
typedef enum leat_adaptive_outcome {
	LEAT_ADAPTIVE_OK,
	LEAT_ADAPTIVE_DROPPED, /* refused, or too late, for too much load: decreases the limit */
	LEAT_ADAPTIVE_IGNORE,  /* its time tells nothing: a wrong request, a cancel */
} leat_adaptive_outcome;

/* Zero-initialised, every field has its default. */
typedef struct leat_adaptive_opts {
	leat_adaptive_algorithm algorithm;
	uint32_t first, least, most; /* limits: at first, and bounds; 0: 8, 1, 1000 */
	double decrease;             /* the factor, where a call was dropped; 0: 0.9 */
	uint32_t slack; /* GRADIENT: calls that may queue over there; 0: the limit's root, 4 at least */
	int64_t window_ns; /* GRADIENT: from probe to probe; 0: 10 s */
	uint32_t queue;    /* how many may wait here, 0: none */
} leat_adaptive_opts;

/* --- the algorithm alone: a value, which knows no clock but what it is told */

/* All fields but opts are private; and opts is not to be changed after the first use. */
typedef struct leat_adaptive_limit {
	leat_adaptive_opts opts;
	double leat__limit;   /* 0: nothing has been counted yet */
	int64_t leat__cut_at; /* when it was last decreased */
	bool leat__grown;     /* it has done with doubling */
	bool leat__probing, leat__probe_soon;
	double leat__kept;     /* the limit before the probe */
	double leat__least_ns; /* the least mean of a round since the last probe; 0: none yet */
	double leat__sum_ns;   /* of the present round */
	uint32_t leat__count, leat__used; /* of it: calls, and the most at a time */
	int64_t leat__round_at, leat__probe_at;
} leat_adaptive_limit;

/*
 * A call has ended, which began at begun_ns and ended at ended_ns, with so many under way then, itself included.  What
 * goes in determines what comes out.  Not by two at a time.
 */
LEAT_API void leat_adaptive_limit_sample(leat_adaptive_limit *l, int64_t begun_ns, int64_t ended_ns,
                                         uint32_t under_way, leat_adaptive_outcome o);

/* The limit: how many calls may be under way. */
LEAT_API uint32_t leat_adaptive_limit_get(const leat_adaptive_limit *l);

/* The least mean time of a round since the last probe, in nanoseconds; 0 before the first, and for AIMD. */
LEAT_API int64_t leat_adaptive_limit_least_ns(const leat_adaptive_limit *l);

/* --- with those who wait */

struct leat__waiter;

/*
 * All fields are private.  Zero-initialised it is ready, with the defaults.  It needs no destructor, must not be copied
 * after its first use, and must outlive all calls on it.  Any goroutine, any thread, all of it.
 */
typedef struct leat_adaptive {
	leat_adaptive_limit leat__limit;
	uint32_t leat__under_way, leat__waiting;
	uint64_t leat__refused;
	struct leat__waiters leat__queue;
	uint8_t leat__lock;
} leat_adaptive;

/* One call under way. */
typedef struct leat_adaptive_ticket {
	int64_t leat__begun;
} leat_adaptive_ticket;

/* The same for one that is made at run time, and not in use.  Panics "adaptive: bad options" for bounds that cross,
   a decrease that is not between 0 and 1, or a negative window. */
LEAT_API void leat_adaptive_init(leat_adaptive *a, const leat_adaptive_opts *opts);

/*
 * Begin a call, parking the caller while there are as many as may be: 0, and *t.  Who waits is served in the order of
 * arrival.
 *
 *	-EAGAIN         as many as may wait already do
 *	-ECANCELED, -ETIMEDOUT
 *	                ctx (NULL: no context) is done, or was; then the place in the queue is free at once
 *
 * Never allocates, but for a custom context ("out of memory").
 */
LEAT_API int leat_adaptive_acquire_ctx(leat_adaptive *a, leat_adaptive_ticket *t,
                                       leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* The same where it need not wait, else -EAGAIN. */
LEAT_API int leat_adaptive_try_acquire(leat_adaptive *a, leat_adaptive_ticket *t) LEAT__WARN_UNUSED;

/* It has ended.  To be called once for each ticket, by whomever.  Lets those in who wait, if there may be more.
   Never parks.  Panics "adaptive: released more than acquired". */
LEAT_API void leat_adaptive_release(leat_adaptive *a, leat_adaptive_ticket t,
                                    leat_adaptive_outcome o);

/* As of one instant. */
typedef struct leat_adaptive_stats {
	uint32_t limit, under_way, waiting;
	uint64_t refused;
	int64_t least_ns;
} leat_adaptive_stats;

LEAT_API leat_adaptive_stats leat_adaptive_get_stats(leat_adaptive *a);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_adaptive_acquire_ctx(...) __extension__ leat_adaptive_acquire_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* An initialiser, of what differs from the defaults. */
#define LEAT_ADAPTIVE(...)                                                                         \
	{                                                                                              \
		.leat__limit = {.opts = {__VA_ARGS__} }                                                    \
	}

#endif /* !__cplusplus */

#endif
