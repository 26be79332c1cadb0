/* SPDX-License-Identifier: MIT */
/*
 * Duplicate messages: a request was given to another worker, since the first was taken for dead, and then both
 * answer.  Three ways to apply its result once:
 *
 *  - The heartbeat's handshake, leat_heartbeat_commit and leat_heartbeat_give_up (leat/heartbeat.h): worker and who
 *    watches it settle between them who comes first.  The cheapest, for one watcher per worker.
 *  - The recipient accepts the first, or the last, result of each request by its number:
 *
 *	leat_duplicates *seen = leat_duplicates_make(10000, LEAT_MINUTE);
 *
 *	chan_range(r, results)
 *		if (leat_duplicates_first(seen, r.request))
 *			apply(&r);
 *
 *  - The parent is asked for permission before a result is handed over; see leat_permission below.
 *
 * Where the old worker is joined before the new one starts, as a steward does it (leat/steward.h), none is needed: let
 * the worker note what it has handed over where its successor finds it.
 *
 * Any goroutine, any thread, all of it; what comes first in each happens before what finds it so.
 */
#ifndef LEAT_DUPLICATES_H
#define LEAT_DUPLICATES_H

#include <leat/chan.h>
#include <leat/ctx.h>

typedef struct leat_duplicates leat_duplicates;
typedef struct leat_permission leat_permission;

LEAT__BEGIN

/* --- accept the first */

/*
 * Make a memory of request numbers, for leat_duplicates_first: of the latest `count` of them, none for longer than
 * age_ns nanoseconds (0: however long).  All its memory, some 32 bytes for each, is taken here.
 *
 * A duplicate is found as long as its request is remembered: choose `count` and age_ns by how many other requests come,
 * and how much time passes, until the latest duplicate.  leat_duplicates_stats tells how it goes.
 * Panics "duplicates: size out of range" when count is 0 or above 2^30, "duplicates: negative time" and "out of memory".
 * The caller owns the result: leat_duplicates_free.
 */
LEAT_API leat_duplicates *leat_duplicates_make(size_t count, int64_t age_ns) LEAT__WARN_UNUSED;

/* True for the first call with id, of however many at once; false as long as id is remembered, which a duplicate does
   not lengthen.  Takes a mutex; never allocates.  Panics "duplicates: it accepts the last" for one of that kind. */
LEAT_API bool leat_duplicates_first(leat_duplicates *d, uint64_t id) LEAT__WARN_UNUSED;

/* --- accept the last */

/*
 * Make a place where results of elem_bytes bytes wait for a later one of the same request, which replaces them, until
 * they are taken: by leat_duplicates_take, when all that work on the request are known to have ended; or by
 * leat_duplicates_next, when hold_ns nanoseconds have passed since the first (LEAT_FOREVER: not by time).
 * count and age_ns as above, for those that wait and those that were taken together.
 *
 * discard (NULL: none) frees what is in a result that is replaced, or still there when d is freed.  It is called by
 * who replaces it, and must not use d.  Panics as leat_duplicates_make.
 */
LEAT_API leat_duplicates *leat_duplicates_make_last(size_t elem_bytes, size_t count, int64_t age_ns,
                                                    int64_t hold_ns,
                                                    void (*discard)(void *elem)) LEAT__WARN_UNUSED;

/*
 * Let *elem be the last result of id so far: 0.  Otherwise nothing was done, and what is in *elem stays the caller's:
 *
 *	-EALREADY       a result of id was taken, and that is remembered: this one comes too late
 *	-ENOBUFS        there are `count` results that wait to be taken
 *
 * Takes a mutex; never allocates.  Panics "duplicates: it accepts the first" for one of that kind, as do the two below.
 */
LEAT_API int leat_duplicates_put(leat_duplicates *d, uint64_t id,
                                 const void *elem) LEAT__WARN_UNUSED;

/* Take the last result of id, if one waits: true, with it in *elem.  Others come too late from now on. */
LEAT_API bool leat_duplicates_take(leat_duplicates *d, uint64_t id, void *elem);

/* Park the caller until a result has waited for hold_ns since the first of its request, and take that: 0, with *id and
   *elem.  -ECANCELED or -ETIMEDOUT: ctx (NULL: none) is done, or was.  Panics "out of memory" where there is none for a
   timer or ctx's channel. */
LEAT_API int leat_duplicates_next(leat_duplicates *d, uint64_t *id, void *elem,
                                  leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* --- both */

/* Free d, and what waits there; NULL is a no-op.  No other use may overlap or follow.  Panics "duplicates_free:
   goroutines are waiting" when that is so. */
LEAT_API void leat_duplicates_free(leat_duplicates *d);

typedef struct leat_duplicates_counts {
	uint64_t accepted; /* requests: first results, whether or not later ones took their place */
	uint64_t dropped;  /* results of others that came second, were replaced, or came too late */
	uint64_t
	    forgotten_early; /* requests forgotten for want of room, younger than age_ns: count is too low */
	size_t remembered; /* requests, now */
} leat_duplicates_counts;

LEAT_API leat_duplicates_counts leat_duplicates_stats(leat_duplicates *d);

/* --- ask the parent */

/*
 * The right to hand over the result of one request, which the parent gives to one of those that it has set to work on
 * it.  The parent:
 *
 *	leat_permission *p = leat_permission_make();
 *	defer(leat_permission_end, p);
 *	uint64_t attempt = leat_permission_attempt(p);
 *	go(worker, request, p, attempt);
 *
 *	chan_select {
 *		case_recv(leat_permission_asks(p), who)
 *			leat_permission_answer(p, who, true);
 *		case_timeout(LEAT_SECOND)               try another; or 0: that one was permitted by now
 *			if ((attempt = leat_permission_attempt(p)))
 *				go(worker, request, p, attempt);
 *	}
 *
 * The worker:
 *
 *	if (leat_permission_ask(p, attempt, ctx) == 0)
 *		chan_send(results, r);
 *
 * Nobody waits for a parent that is gone: it defers leat_permission_end.
 *
 * Make one; panics "out of memory".  The caller owns the result: leat_permission_free.
 */
LEAT_API leat_permission *leat_permission_make(void) LEAT__WARN_UNUSED;

/* Free p; NULL is a no-op.  No other use may overlap or follow, so workers must have ended, or have got their answer.
   Panics "permission_free: goroutines are waiting" when that is so. */
LEAT_API void leat_permission_free(leat_permission *p);

/* The parent begins another attempt: its number, from 1.  Those before it are superseded.  0, and nothing has changed:
   one was permitted, and no other must be started; or p was ended. */
LEAT_API uint64_t leat_permission_attempt(leat_permission *p) LEAT__WARN_UNUSED;

/* For the parent's select: the number of the attempt that asks, at most one at a time.  p's, and never closed. */
LEAT_API LEAT_RECV_CHAN(uint64_t) leat_permission_asks(leat_permission *p);

/* Answer an attempt that asks.  False: it is superseded, has left, or was answered before; and nothing has changed. */
LEAT_API bool leat_permission_answer(leat_permission *p, uint64_t attempt, bool yes);

/* The parent is gone: nobody gets permission any more.  The second time it does nothing. */
LEAT_API void leat_permission_end(leat_permission *p);

/*
 * Ask for permission, parking the caller until there is an answer:
 *
 *	0               hand over the result: nobody else will; also where ctx is done since
 *	-EACCES         no; it may ask again
 *	-ESTALE         another attempt has been begun
 *	-EALREADY       this attempt has been permitted before
 *	-EPIPE          the parent is gone
 *	-ECANCELED, -ETIMEDOUT
 *	                ctx (NULL: none) is done, or was, and the question is withdrawn
 *
 * Only one goroutine may ask for an attempt at a time.  Allocates nothing.
 */
LEAT_API int leat_permission_ask(leat_permission *p, uint64_t attempt,
                                 leat_any_ctx ctx) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_duplicates_next(...) __extension__ leat_duplicates_next(__VA_ARGS__)
#define leat_permission_ask(...)  __extension__ leat_permission_ask(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_DUPLICATES(T): the type of a typed place where the last result of type T is accepted; a pointer, as chan(T) is. */
#define LEAT_DUPLICATES(T) LEAT__CHAN(T, 64)

#define LEAT__IS_DUPLICATES(d)                                                                     \
	_Static_assert(LEAT__DIR(d) == 64, "not a place for last results: it needs a duplicates(T)")
#define LEAT__DUPLICATES_RAW(d) ((leat_duplicates *)(void *)(d))

/* discard is a void (*)(T *), or NULL. */
#define LEAT_DUPLICATES_MAKE(T, count, age_ns, hold_ns, discard)                                   \
	__extension__({                                                                                \
		LEAT__CAN_ELEM(T);                                                                         \
		void (*leat__f)(__typeof__(T) *) = (discard);                                              \
		(LEAT_DUPLICATES(T))                                                                       \
		    leat_duplicates_make_last(sizeof(__typeof__(T)), (count), (age_ns), (hold_ns),         \
		                              (void (*)(void *))(void (*)(void))leat__f);                  \
	})

#define LEAT_DUPLICATES_FREE(d)                                                                    \
	__extension__({                                                                                \
		LEAT__IS_DUPLICATES(d);                                                                    \
		leat_duplicates_free(LEAT__DUPLICATES_RAW(d));                                             \
	})

/* The value is evaluated once, and must be assignable to T. */
#define LEAT_DUPLICATES_PUT(...) LEAT__DUPLICATES_PUTTING(__COUNTER__, __VA_ARGS__)
#define LEAT__DUPLICATES_PUTTING(n, d, id, ...)                                                    \
	__extension__({                                                                                \
		LEAT__IS_DUPLICATES(d);                                                                    \
		leat_duplicates *LEAT__VAR(duplicates, n) = LEAT__DUPLICATES_RAW(d);                       \
		uint64_t LEAT__VAR(request, n) = (id);                                                     \
		LEAT__ELEM(d) LEAT__VAR(value, n) = __VA_ARGS__;                                           \
		leat_duplicates_put(LEAT__VAR(duplicates, n), LEAT__VAR(request, n),                       \
		                    (const void *)&LEAT__VAR(value, n));                                   \
	})

/* vp is a T *. */
#define LEAT_DUPLICATES_TAKE(d, id, vp) LEAT__DUPLICATES_TAKING(__COUNTER__, d, id, vp)
#define LEAT__DUPLICATES_TAKING(n, d, id, vp)                                                      \
	__extension__({                                                                                \
		LEAT__IS_DUPLICATES(d);                                                                    \
		LEAT__ELEM(d) * LEAT__VAR(to, n) = (vp);                                                   \
		leat_duplicates_take(LEAT__DUPLICATES_RAW(d), (id), (void *)LEAT__VAR(to, n));             \
	})

#define LEAT_DUPLICATES_NEXT(d, idp, vp, ctx)                                                      \
	LEAT__DUPLICATES_TAKING_NEXT(__COUNTER__, d, idp, vp, ctx)
#define LEAT__DUPLICATES_TAKING_NEXT(n, d, idp, vp, ctx)                                           \
	__extension__({                                                                                \
		LEAT__IS_DUPLICATES(d);                                                                    \
		LEAT__ELEM(d) * LEAT__VAR(to, n) = (vp);                                                   \
		leat_duplicates_next(LEAT__DUPLICATES_RAW(d), (idp), (void *)LEAT__VAR(to, n), (ctx));     \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define duplicates(T)                        LEAT_DUPLICATES(T)
#define duplicates_make(T, n, age, hold, fn) LEAT_DUPLICATES_MAKE(T, n, age, hold, fn)
#define duplicates_free(d)                   LEAT_DUPLICATES_FREE(d)
#define duplicates_put(...)                  LEAT_DUPLICATES_PUT(__VA_ARGS__)
#define duplicates_take(d, id, vp)           LEAT_DUPLICATES_TAKE(d, id, vp)
#define duplicates_next(d, idp, vp, ctx)     LEAT_DUPLICATES_NEXT(d, idp, vp, ctx)
#endif

#endif /* !__cplusplus */

#endif
