/* SPDX-License-Identifier: MIT */
/*
 * Circuit breaker: what fails too often is not called for a while.  After the pattern of Nygard's "Release It!" (2007).
 *
 *	static leat_breaker billing = LEAT_BREAKER(.ratio = 0.3, .volume = 50);
 *
 *	struct charge { ... };
 *	static int charge(struct charge *a) { ... }             0, or a negative errno code
 *
 *	err = LEAT_BREAKER_CALL(&billing, ctx, charge, .amount = 5);
 *	if (err == -EHOSTDOWN)
 *		charge_later();                                 it was not even tried
 *
 * Closed, it lets all calls pass, and counts those of the last `window_ns` nanoseconds.  When at least `volume` of them
 * have ended and `ratio` of them, or more, have failed, it opens.  Open, it refuses all calls, for a time that a back-off
 * says (leat/backoff.h), longer each time in a row.  The first call after that makes it half-open: it lets `probes` calls
 * pass at a time.  When so many have succeeded it closes, and has forgotten all; when one fails it opens again.
 *
 * The result of a call counts only in the state in which it began: a slow failure from before the breaker opened does
 * not open it again.  There are never more than `probes` probes under way, those of an earlier time included.
 *
 * Zero-initialised it is ready, with the defaults.  It needs no destructor and must not be copied after its first use.
 * Any goroutine, any thread, all of it.  What it counts orders nothing.  A call costs two locks of a mutex and two
 * readings of the clock; only those may park.
 */
#ifndef LEAT_BREAKER_H
#define LEAT_BREAKER_H

#include <leat/backoff.h>
#include <leat/mutex.h>

LEAT__BEGIN

typedef enum leat_breaker_state {
	LEAT_BREAKER_CLOSED,
	LEAT_BREAKER_OPEN,
	LEAT_BREAKER_HALF_OPEN,
} leat_breaker_state;

/* What a call's end means. */
typedef enum leat_breaker_outcome {
	LEAT_BREAKER_SUCCESS,
	LEAT_BREAKER_FAILURE,
	LEAT_BREAKER_IGNORE, /* nothing: as if it had not been made */
} leat_breaker_outcome;

/* What has changed. */
typedef struct leat_breaker_change {
	leat_breaker_state from, to;
	uint64_t generation; /* grows by 1 with each change */
	int64_t open_ns;     /* for how long it is open; 0 where it is not */
} leat_breaker_change;

/* Zero-initialised, every field has its default. */
typedef struct leat_breaker_opts {
	int64_t window_ns; /* 0: 10 s.  Time passes in tenths of it */
	uint32_t volume;   /* 0: 20 */
	double ratio;      /* 0: 0.5 */
	uint32_t probes;   /* 0: 1 */
	/* How long it is open; first_ns 0: 1 s, max_ns 0: 60 s.  With LEAT_JITTER_FULL it may be open hardly at all, so
	   that stands for LEAT_JITTER_EQUAL here. */
	leat_backoff open;
	/* What an error means.  NULL: 0 is a success, -ECANCELED is ignored, all others are failures.  A panic of it passes
	   through, and the call is ignored. */
	leat_breaker_outcome (*judge)(int err, void *arg);
	/* Called after each change, by who made it, with no lock held; by several at once it may be out of order, which
	   generation tells.  NULL: not wanted.  A panic of it passes through; a call that was to begin does not. */
	void (*changed)(const leat_breaker_change *c, void *arg);
	void *arg; /* of these two */
} leat_breaker_opts;

#define LEAT__BREAKER_SLOTS 10

/* All fields but opts are private; and opts is not to be changed after the first use. */
typedef struct leat_breaker {
	leat_breaker_opts opts;
	leat_mutex leat__mutex;
	leat_breaker_state leat__state;
	uint64_t leat__generation;
	int64_t leat__until;  /* when it may become half-open */
	int64_t leat__newest; /* the slot of the present, counted from the clock's zero */
	struct leat__breaker_slot {
		uint32_t calls, failures;
	} leat__slots[LEAT__BREAKER_SLOTS];
	uint32_t leat__calls, leat__failures; /* of all slots */
	uint32_t leat__probing, leat__succeeded;
	uint64_t leat__refused;
	leat_backoff leat__backoff;
} leat_breaker;

/* The same for one that is made at run time, and not in use.  Panics as leat_backoff_next, and "breaker: bad options"
   for a negative window or a ratio that is not from 0 to 1. */
LEAT_API void leat_breaker_init(leat_breaker *b, const leat_breaker_opts *opts);

/*
 * Call fn(arg) if b lets it pass, and count how it ends; what it returns.
 *
 *	-EHOSTDOWN      it was not called: b is open, or half-open with as many probes as may be
 *	-ECANCELED, -ETIMEDOUT
 *	                it was not called: ctx (NULL: no context) is done already, which counts for nothing
 *
 * ctx does not end the call: give it to fn, too.  Where ctx has been cancelled when fn fails, that is ignored, whatever fn
 * returned: the caller gave up; that its deadline has passed is a failure.  A panic of fn is a failure, and passes
 * through; leat_goexit is ignored.
 */
LEAT_API int leat_breaker_call(leat_breaker *b, int (*fn)(void *arg), void *arg,
                               leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* One call that passes, for those who do not end it where they begin it. */
typedef struct leat_breaker_ticket {
	uint64_t leat__generation;
	bool leat__probe;
} leat_breaker_ticket;

/* Begin a call: 0, with *t, or -EHOSTDOWN. */
LEAT_API int leat_breaker_begin(leat_breaker *b, leat_breaker_ticket *t) LEAT__WARN_UNUSED;

/* It has ended.  To be called once for each ticket: a probe that never ends keeps its place. */
LEAT_API void leat_breaker_end(leat_breaker *b, leat_breaker_ticket t, leat_breaker_outcome o);

/* Close b, forgetting all; the calls under way do not count. */
LEAT_API void leat_breaker_reset(leat_breaker *b);

/* As of one instant; calls and failures are those of the window, probing the probes under way. */
typedef struct leat_breaker_stats {
	leat_breaker_state state;
	uint64_t generation, refused;
	uint32_t calls, failures, probing;
	int64_t
	    open_ns; /* how long it will be open yet; 0 where it is not, or a call would make it half-open */
} leat_breaker_stats;

LEAT_API leat_breaker_stats leat_breaker_get_stats(leat_breaker *b);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_breaker_call(...) __extension__ leat_breaker_call(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* An initialiser, of what differs from the defaults. */
#define LEAT_BREAKER(...)                                                                          \
	{                                                                                              \
		.opts = { __VA_ARGS__ }                                                                    \
	}

/* LEAT_BREAKER_CALL(b, ctx, fn, .field = value, ...): call int fn(struct fn *) with a (struct fn){ ... }. */
#define LEAT_BREAKER_CALL(...) LEAT__BREAKER_CALL(__VA_ARGS__, )
#define LEAT__BREAKER_CALL(b, ctx, fn, ...)                                                        \
	__extension__({                                                                                \
		int (*leat__breaker_f)(struct fn *) = (fn);                                                \
		leat_breaker_call((b), (int (*)(void *))(void (*)(void))leat__breaker_f,                   \
		                  &(struct fn){__VA_ARGS__}, (ctx));                                       \
	})

#endif /* !__cplusplus */

#endif
