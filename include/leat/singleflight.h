/* SPDX-License-Identifier: MIT */
/*
 * Singleflight: of concurrent calls for the same key one does the work, and all have its result.  After Go's
 * golang.org/x/sync/singleflight.
 *
 *	static leat_singleflight lookups;
 *
 *	static int look_up(void *name, void **address)   called once, however many ask for that name
 *	{
 *		return resolve(name, (struct address **)address);
 *	}
 *
 *	leat_singleflight_result r;
 *	leat_singleflight_do(&lookups, name, look_up, name, &r);
 *	if (!r.err)
 *		connect_to(r.value);
 *
 * A key's flight begins with a call for it while there is none, lasts until fn is over, and is joined by the calls
 * that come meanwhile; the fn of these is not called.  The next call after that begins anew: nothing is
 * kept.  What the value points to belongs to all who got it.
 *
 * Keys are strings, compared by their bytes.
 *
 * When fn panics, the panic reaches each caller that waits, with the same message, in its own goroutine.
 * Where a result is due on a channel nobody could be told, so then it kills the process, with the trace of
 * fn, and cannot be caught; likewise where all callers have left.  When fn ends by leat_goexit all who wait
 * end so, and channels get the error -ECANCELED.
 *
 * Zero-initialised it is ready.  It needs no destructor, must not be copied after its first use, and must
 * outlive its flights.  It takes memory for flights that have a goroutine of their own, while they last.
 * Any goroutine, any thread, all of it.  What fn did happens before the return of each call, and each receive,
 * that has its result.  A call costs a step per binary digit of the number of flights.
 *
 * A call for a key, made by fn of the same key's flight, waits for itself: a deadlock.
 */
#ifndef LEAT_SINGLEFLIGHT_H
#define LEAT_SINGLEFLIGHT_H

#include <leat/ctx.h>

LEAT__BEGIN

struct leat__flight;

/* All fields are private. */
typedef struct leat_singleflight {
	struct leat__flight *leat__root;
	uint8_t leat__lock;
} leat_singleflight;

/* What does the work: returns an error, 0 for none, and sets *value, which is NULL before. */
typedef int (*leat_singleflight_fn)(void *arg, void **value);

typedef struct leat_singleflight_result {
	void *value;
	int err;     /* what fn returned */
	bool shared; /* more than one had this result */
} leat_singleflight_result;

/*
 * Call fn(arg), or wait for who does so for the same key; *result (NULL: not wanted) is how it came out.
 *
 * fn runs in the calling goroutine.  key is read until the call returns.  Never allocates.
 * After Group.Do.
 */
LEAT_API void leat_singleflight_do(leat_singleflight *g, const char *key, leat_singleflight_fn fn,
                                   void *arg, leat_singleflight_result *result);

/*
 * The same, but the caller waits only until ctx is done: 0 with *result, else -ECANCELED or -ETIMEDOUT, and
 * *result is untouched.  Then fn goes on, for the others or for nobody.  A ctx that is done already begins and
 * joins nothing; NULL is no context.
 *
 * fn runs in a goroutine of its own, so arg must stay valid until it is over, and key is copied.
 * Panics "out of memory".
 */
LEAT_API int leat_singleflight_do_ctx(leat_singleflight *g, const char *key,
                                      leat_singleflight_fn fn, void *arg,
                                      leat_singleflight_result *result,
                                      leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * The same as a channel, which gets the result, exactly one, and is never closed.
 *
 * It is the caller's, who frees it (chan_free) once the result was received, not before.
 * fn and key as for leat_singleflight_do_ctx.  Never parks.  Panics "out of memory".  After Group.DoChan.
 */
LEAT_API LEAT_RECV_CHAN(leat_singleflight_result)
leat_singleflight_do_chan(leat_singleflight *g, const char *key, leat_singleflight_fn fn,
                          void *arg) LEAT__WARN_UNUSED;

/* Let the next call for key begin a flight, even while one is under way, which those who joined it go on
   waiting for.  After Group.Forget. */
LEAT_API void leat_singleflight_forget(leat_singleflight *g, const char *key);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_singleflight_do_ctx(...) __extension__ leat_singleflight_do_ctx(__VA_ARGS__)
#endif

#endif
