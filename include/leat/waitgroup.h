/* SPDX-License-Identifier: MIT */
/*
 * WaitGroup: wait for a number of things to be done.  After Go's sync.WaitGroup.
 *
 * Zero-initialised its counter is 0; it needs no destructor, may be reused once its waiters returned,
 * and must not be copied after its first use.
 */
#ifndef LEAT_WAITGROUP_H
#define LEAT_WAITGROUP_H

#include <leat/ctx.h>
#include <leat/go.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_waitgroup {
	uint64_t leat__state;             /* counter in the high half, waiters in the low half */
	void *leat__first, *leat__others; /* who waits, whatever comes */
	struct leat__waiters leat__queue; /* who waits with a context */
	uint8_t leat__lock;
} leat_waitgroup;

/*
 * Add delta, which may be negative, to the counter; at 0 every waiter is released.
 *
 * Panics "sync: negative WaitGroup counter"; and, as far as it is noticed,
 * "sync: WaitGroup misuse: Add called concurrently with Wait".  An add that starts from 0 must happen
 * before the wait.  Any goroutine, any thread.  One atomic addition.
 */
LEAT_API void leat_waitgroup_add(leat_waitgroup *wg, int delta);

/* leat_waitgroup_add(wg, -1): happens before the return of the wait that it releases. */
LEAT_API void leat_waitgroup_done(leat_waitgroup *wg);

/* Park the caller until the counter is 0; returns at once when it is.  Any goroutine, any thread. */
LEAT_API void leat_waitgroup_wait(leat_waitgroup *wg);

/*
 * The same, but give up when ctx is done (NULL: no context).  0 when the counter is 0, else -ECANCELED or
 * -ETIMEDOUT, also if ctx is done already.  Who gives up is no waiter any more.  Takes a lock.
 */
LEAT_API int leat_waitgroup_wait_ctx(leat_waitgroup *wg, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Add 1 to the counter and start fn as leat_go does; done when the goroutine has ended, by a return or by
 * leat_goexit, after all that it deferred.  A panic in fn that nothing catches ends the process, and no
 * wait before that.  Panics and errors as leat_waitgroup_add and leat_go; the counter is then as before.
 * Costs what leat_go does and the addition.  After WaitGroup.Go.
 */
LEAT_API void leat_waitgroup_go(leat_waitgroup *wg, void (*fn)(void *), const void *args,
                                size_t args_bytes);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_waitgroup_wait_ctx(...) __extension__ leat_waitgroup_wait_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/* LEAT_WG_GO(wg, fn, .field = value, ...), LEAT_WG_GO0(wg, fn): as LEAT_GO and LEAT_GO0, counted by wg. */
#define LEAT_WG_GO(...) LEAT__WG_GO(__VA_ARGS__, )
#define LEAT__WG_GO(wg, fn, ...)                                                                   \
	__extension__({                                                                                \
		void (*leat__f)(struct fn *) = (fn);                                                       \
		leat_waitgroup_go((wg), (void (*)(void *))(void (*)(void))leat__f,                         \
		                  &(struct fn){__VA_ARGS__}, sizeof(struct fn));                           \
	})
#define LEAT_WG_GO0(wg, fn)                                                                        \
	__extension__({                                                                                \
		void (*leat__f)(void) = (fn);                                                              \
		leat_waitgroup_go((wg), (void (*)(void *))leat__f, NULL, 0);                               \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define wg_go(...)     LEAT_WG_GO(__VA_ARGS__)
#define wg_go0(wg, fn) LEAT_WG_GO0(wg, fn)
#endif

#endif /* !__cplusplus */

#endif
