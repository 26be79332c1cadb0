/* SPDX-License-Identifier: MIT */
/*
 * Retry: call what may fail again, with a back-off in between (leat/backoff.h), as long as there is sense in it.
 *
 *	struct fetch { const char *url; struct page *page; };
 *	static int fetch(struct fetch *a) { ... }               0, or a negative errno code
 *
 *	static const leat_retry_opts opts = {.attempts = 5, .permanent = is_no_such_page};
 *
 *	err = LEAT_RETRY(&opts, ctx, fetch, .url = url, .page = &page);
 *
 * It ends with the first attempt that succeeds, and with the last error
 *  - when `permanent` says that it will not go away,
 *  - after so many attempts,
 *  - when the next attempt would begin too long after the first, or after ctx's deadline: at once, without waiting;
 * or when ctx is done, with -ECANCELED or -ETIMEDOUT.  ctx does not end an attempt under way: give it to fn, too.
 *
 * Attempts are made by the caller's goroutine, one after the other; what fn's arguments point to is what it leaves
 * behind.  Retry what may be done twice.  A panic passes through.
 */
#ifndef LEAT_RETRY_H
#define LEAT_RETRY_H

#include <leat/backoff.h>

LEAT__BEGIN

/* An attempt that has ended. */
typedef struct leat_retry_attempt {
	uint32_t attempt;        /* 1 for the first */
	int err;                 /* what it returned, leat_error_code(error) where that was an error */
	const leat_error *error; /* that of leat_retry_error, held by the caller; or NULL */
	int64_t elapsed_ns;      /* since the first began */
	int64_t delay_ns;        /* until the next begins; LEAT_FOREVER: it was the last */
} leat_retry_attempt;

/* Zero-initialised, every field has its default. */
typedef struct leat_retry_opts {
	leat_backoff backoff; /* between attempts; each retry begins with it as it is here */
	uint32_t attempts;    /* at most; 0: any number */
	int64_t elapsed_ns;   /* no attempt begins later than this after the first; 0: no limit */
	/* True: there is no use in trying again.  error as in leat_retry_attempt.  NULL: never. */
	bool (*permanent)(int err, const leat_error *error, void *arg);
	/* Called after each attempt, that which succeeds too.  NULL: not wanted. */
	void (*attempted)(const leat_retry_attempt *a, void *arg);
	void *arg; /* of these two */
} leat_retry_opts;

/*
 * Call fn(arg) until it returns 0, or as above; what the last one returned, or why ctx is done (NULL: no context): fn is
 * not called if it is already.  opts: NULL for all defaults.
 *
 * Any goroutine, any thread.  Panics "out of memory" as leat_sleep_ctx does, and as leat_backoff_next does.
 */
LEAT_API int leat_retry(const leat_retry_opts *opts, int (*fn)(void *arg), void *arg,
                        leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * The same for what returns errors (leat/error.h), which the caller holds, and NULL when it succeeds.  Those of all
 * attempts but the last are let go of.  Where ctx ended it the result is leat_ctx_cause(ctx), held by the caller, or, after
 * an attempt, that and the last error joined.
 */
LEAT_API const leat_error *leat_retry_error(const leat_retry_opts *opts,
                                            const leat_error *(*fn)(void *arg), void *arg,
                                            leat_any_ctx ctx) LEAT__WARN_UNUSED;

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_retry(...)       __extension__ leat_retry(__VA_ARGS__)
#define leat_retry_error(...) __extension__ leat_retry_error(__VA_ARGS__)
#endif

#ifndef __cplusplus

/*
 * LEAT_RETRY(opts, ctx, fn, .field = value, ...): retry int fn(struct fn *) with one (struct fn){ ... }, the same at each
 * attempt.  LEAT_RETRY_ERROR: the same for const leat_error *fn(struct fn *).
 */
#define LEAT_RETRY(...)       LEAT__RETRY(__VA_ARGS__, )
#define LEAT_RETRY_ERROR(...) LEAT__RETRY_ERROR(__VA_ARGS__, )
#define LEAT__RETRY(opts, ctx, fn, ...)                                                            \
	__extension__({                                                                                \
		int (*leat__retry_f)(struct fn *) = (fn);                                                  \
		leat_retry((opts), (int (*)(void *))(void (*)(void))leat__retry_f,                         \
		           &(struct fn){__VA_ARGS__}, (ctx));                                              \
	})
#define LEAT__RETRY_ERROR(opts, ctx, fn, ...)                                                      \
	__extension__({                                                                                \
		const leat_error *(*leat__retry_f)(struct fn *) = (fn);                                    \
		leat_retry_error((opts), (const leat_error *(*)(void *))(void (*)(void))leat__retry_f,     \
		                 &(struct fn){__VA_ARGS__}, (ctx));                                        \
	})

#endif /* !__cplusplus */

#endif
