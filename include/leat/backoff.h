/* SPDX-License-Identifier: MIT */
/*
 * Back-off: how long to wait before trying again, longer each time, and not the same as everybody else.
 *
 *	leat_backoff b = LEAT_BACKOFF(10 * LEAT_MILLISECOND, 5 * LEAT_SECOND);
 *
 *	while (try_it() < 0)
 *		if ((err = leat_backoff_wait_ctx(&b, ctx)))
 *			return err;
 *	leat_backoff_reset(&b);                 next time it begins with 10 ms again
 *
 * The k-th delay is drawn evenly from 0 to first * factor^k, or to max where that is less: "full jitter", which of the
 * schemes compared in Marc Brooker's "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015) lets many who
 * failed together come back with the fewest calls.
 *
 * Zero-initialised it is ready, with the defaults.  It is a value: one for each thing that is tried, used by one caller
 * at a time.  Random numbers are the runtime's: with LEAT_SEED, and the same order of events, they are the same.
 */
#ifndef LEAT_BACKOFF_H
#define LEAT_BACKOFF_H

#include <leat/ctx.h>

LEAT__BEGIN

typedef enum leat_jitter {
	LEAT_JITTER_FULL,  /* from 0 to the delay */
	LEAT_JITTER_EQUAL, /* from half of it: never at once */
	LEAT_JITTER_NONE,  /* just that */
} leat_jitter;

typedef struct leat_backoff {
	int64_t first_ns; /* 0: 100 ms */
	int64_t max_ns;   /* 0: 30 s */
	double factor;    /* 0: 2; else 1 at least */
	leat_jitter jitter;
	uint32_t leat__tries;
	double leat__delay; /* of the next, before the jitter */
} leat_backoff;

/* An initialiser. */
#define LEAT_BACKOFF(first_ns, max_ns)                                                             \
	{                                                                                              \
		(first_ns), (max_ns), 0, LEAT_JITTER_FULL, 0, 0                                            \
	}

/* The next delay, in nanoseconds, 0 or more.  Never parks.  Panics "backoff: negative delay" and "backoff: factor less
   than 1". */
LEAT_API int64_t leat_backoff_next(leat_backoff *b);

/* How many there were since the beginning, or the last reset. */
LEAT_API uint32_t leat_backoff_tries(const leat_backoff *b);

/* Begin anew. */
LEAT_API void leat_backoff_reset(leat_backoff *b);

/* Park the caller for the next delay: 0; or until ctx (NULL: no context) is done: -ECANCELED or -ETIMEDOUT, also if it is
   done already.  Panics as leat_backoff_next, and "out of memory" as leat_sleep_ctx does. */
LEAT_API int leat_backoff_wait_ctx(leat_backoff *b, leat_any_ctx ctx);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_backoff_wait_ctx(...) __extension__ leat_backoff_wait_ctx(__VA_ARGS__)
#endif

#endif
