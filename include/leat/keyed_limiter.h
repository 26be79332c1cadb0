/* SPDX-License-Identifier: MIT */
/*
 * Keyed limiter: a rate limiter (leat/limiter.h) for each key, such as each client, in bounded memory.
 *
 *	leat_keyed_limiter *clients = leat_keyed_limiter_make(10, 20, 10000);   each 10 a second, 20 at once
 *
 *	if (!leat_keyed_limiter_allow(clients, client->address))
 *		return too_many_requests(client);
 *
 * At most so many keys are kept.  A key is idle, and may be forgotten, when its bucket is full again and nobody waits
 * for it: it would begin just so.  So what is forgotten never lets a key have more than its rate and burst, and who
 * uses many keys cannot make room for himself by driving out his own.  A key for which there is no room, since so many
 * others are in use, is refused.
 *
 * Any goroutine, any thread, all of it but free.  Keys are strings, compared by their bytes, and copied.  n is 0 or
 * more; a negative one panics "rate: negative n".  A call takes a mutex, which may park, for the time of a look-up; a
 * new key allocates, and looks at all keys for an idle one where there are as many as may be, but not again before one
 * can have become idle.
 */
#ifndef LEAT_KEYED_LIMITER_H
#define LEAT_KEYED_LIMITER_H

#include <leat/limiter.h>

LEAT__BEGIN

typedef struct leat_keyed_limiter leat_keyed_limiter;

/*
 * Limiters of that rate and burst for at most max_keys keys, 1 at least.
 * Panics "keyed_limiter: no keys", and "out of memory".  Takes some 16 bytes for each key that may be, and 120 and the
 * key for each that is.
 */
LEAT_API leat_keyed_limiter *leat_keyed_limiter_make(double rate, int64_t burst,
                                                     size_t max_keys) LEAT__WARN_UNUSED;

/* Free l, which nobody uses any more; NULL is a no-op. */
LEAT_API void leat_keyed_limiter_free(leat_keyed_limiter *l);

/* Take 1 token, or n, of the key's, if they are there; false, with nothing taken, where they are not or there is no
   room for the key.  Panics "out of memory". */
LEAT_API bool leat_keyed_limiter_allow(leat_keyed_limiter *l, const char *key) LEAT__WARN_UNUSED;
LEAT_API bool leat_keyed_limiter_allow_n(leat_keyed_limiter *l, const char *key,
                                         int64_t n) LEAT__WARN_UNUSED;

/*
 * Take 1 token, or n, of the key's, parking the caller until his turn comes, in the order of the calls for that key:
 * as leat_limiter_wait_n_ctx in all, but also -ENOSPC, at once, where there is no room for the key.
 */
LEAT_API int leat_keyed_limiter_wait(leat_keyed_limiter *l, const char *key) LEAT__WARN_UNUSED;
LEAT_API int leat_keyed_limiter_wait_ctx(leat_keyed_limiter *l, const char *key,
                                         leat_any_ctx ctx) LEAT__WARN_UNUSED;
LEAT_API int leat_keyed_limiter_wait_n_ctx(leat_keyed_limiter *l, const char *key, int64_t n,
                                           leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* The tokens that key has at this instant, the burst if it is not known. */
LEAT_API double leat_keyed_limiter_tokens(leat_keyed_limiter *l, const char *key);

/* How many keys are kept, idle ones among them; how many were forgotten so far. */
LEAT_API size_t leat_keyed_limiter_len(leat_keyed_limiter *l);
LEAT_API uint64_t leat_keyed_limiter_evicted(leat_keyed_limiter *l);

/* Forget all idle keys now, and free their memory; how many these were. */
LEAT_API size_t leat_keyed_limiter_trim(leat_keyed_limiter *l);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_keyed_limiter_wait_ctx(...)   __extension__ leat_keyed_limiter_wait_ctx(__VA_ARGS__)
#define leat_keyed_limiter_wait_n_ctx(...) __extension__ leat_keyed_limiter_wait_n_ctx(__VA_ARGS__)
#endif

#endif
