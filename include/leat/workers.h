/* SPDX-License-Identifier: MIT */
/*
 * Workers: many tasks, of which so many run at a time.
 *
 *	struct resize { const char *path; };
 *	static void resize(struct resize *a) { ... }
 *
 *	scope(s, NULL);
 *	leat_workers *w = leat_workers_make(s, &(leat_workers_opts){.workers = 4, .queue = 100});
 *
 *	for (int i = 1; i < argc; i++)
 *		workers_submit(w, resize, .path = argv[i]);     waits while 100 do so
 *	leat_workers_wait(w);
 *
 * A task is a function and a copy of its arguments, as for go.  It runs in a goroutine of the scope: at once, while
 * fewer than `workers` tasks run; otherwise it joins a queue, and tasks run in the order in which they came there.  What
 * happens when the queue is full is up to the policy.  A worker is a goroutine that runs one task after the other while
 * there are any, and then ends: a pool that has nothing to do has none.
 *
 * The scope.  scope_wait(s) waits for all tasks, and leaving the scope does, those in the queue included; as with
 * scope_go, they are not dropped when the scope is cancelled, but run, and find it done.  The pool lives as long as its
 * scope, whose memory it is, and is used by goroutines that end before it.  A limit of the scope (scope_limit) counts
 * workers, too; it should have room for them.
 *
 * Panics.  A task that panics ends the process, as any goroutine does, unless there is a `panicked`: that is called with
 * the panic, in the task's goroutine, and the worker goes on.  A task that ends by leat_goexit ends that worker, and
 * another takes its place, which panics "out of memory" where there is none.
 *
 * Any goroutine, any thread, all of it.  A submit happens before the task's first statement; the end of each task before
 * the return of a wait that it was waited for.  A task that waits for tasks of its own pool, or submits to it while the
 * queue is full, may wait for itself: give it leat_workers_try_submit.  In the child of a fork the workers are gone, and
 * the pool is of no use.
 */
#ifndef LEAT_WORKERS_H
#define LEAT_WORKERS_H

#include <leat/panic.h>
#include <leat/scope.h>

LEAT__BEGIN

typedef struct leat_workers leat_workers;

typedef enum leat_workers_policy {
	LEAT_WORKERS_BLOCK,  /* who submits waits, in the order of the calls */
	LEAT_WORKERS_REJECT, /* he is told */
} leat_workers_policy;

/* Zero-initialised, every field has its default. */
typedef struct leat_workers_opts {
	size_t workers;           /* how many tasks may run at a time; 0: leat_procs(0) */
	size_t queue;             /* how many may wait for that; 0: none */
	leat_workers_policy full; /* what a submit does when those all do */
	size_t stack_bytes;       /* of each worker, as in leat_go_opts */
	const char *name;         /* of each worker, as in leat_go_opts; must outlive the scope */
	void (*panicked)(const leat_panic_info *info, void *arg); /* NULL: a panic ends the process */
	void *arg;                                                /* panicked's */
} leat_workers_opts;

/* A pool in s; opts is copied, NULL: all defaults.  Panics "out of memory". */
LEAT_API leat_workers *leat_workers_make(leat_scope *s,
                                         const leat_workers_opts *opts) LEAT__WARN_UNUSED;

/*
 * Let fn run on its own copy of args_bytes bytes at args, which are as for leat_go.
 *
 * 0 when it was taken.  -EAGAIN: the queue is full, and the policy is LEAT_WORKERS_REJECT; with LEAT_WORKERS_BLOCK the
 * caller is parked meanwhile.  Panics "out of memory", with nothing taken.  A task costs an allocation.
 */
LEAT_API int leat_workers_submit(leat_workers *w, void (*fn)(void *), const void *args,
                                 size_t args_bytes);

/* The same, but never parks: -EAGAIN whatever the policy. */
LEAT_API int leat_workers_try_submit(leat_workers *w, void (*fn)(void *), const void *args,
                                     size_t args_bytes) LEAT__WARN_UNUSED;

/* The same, but waits, if the policy says so, only until ctx is done (NULL: no context), the pool's scope for instance:
   -ECANCELED or -ETIMEDOUT, with nothing taken, also if it is done already. */
LEAT_API int leat_workers_submit_ctx(leat_workers *w, void (*fn)(void *), const void *args,
                                     size_t args_bytes, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/* Wait until all tasks that were taken have ended, those that come meanwhile among them. */
LEAT_API void leat_workers_wait(leat_workers *w);

/* The same, until ctx is done (NULL: no context): 0, or -ECANCELED or -ETIMEDOUT, also if it is done already. */
LEAT_API int leat_workers_wait_ctx(leat_workers *w, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Let so many tasks run at a time from now on; 0: leat_procs(0).  Of a queue so many begin at once; where there are fewer
 * than before, those that run go on to their end.  Panics "out of memory", when fewer may have begun.
 */
LEAT_API void leat_workers_resize(leat_workers *w, size_t workers);

/* What it is doing, as of one instant, and has done so far. */
typedef struct leat_workers_stats {
	size_t workers, running, queued;
	size_t submitting; /* parked in a submit */
	size_t peak;       /* the most that ran at a time */
	uint64_t done, rejected, panicked;
} leat_workers_stats;

LEAT_API leat_workers_stats leat_workers_get_stats(leat_workers *w);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_workers_submit_ctx(...) __extension__ leat_workers_submit_ctx(__VA_ARGS__)
#define leat_workers_wait_ctx(...)   __extension__ leat_workers_wait_ctx(__VA_ARGS__)
#endif

#ifndef __cplusplus

/*
 * LEAT_WORKERS_SUBMIT(w, fn, .field = value, ...): let fn(struct fn *) run on a copy of (struct fn){ ... }.
 * LEAT_WORKERS_TRY_SUBMIT(w, fn, ...), LEAT_WORKERS_SUBMIT_CTX(w, ctx, fn, ...): the same.
 */
#define LEAT_WORKERS_SUBMIT(...)     LEAT__WORKERS_SUBMIT(__VA_ARGS__, )
#define LEAT_WORKERS_TRY_SUBMIT(...) LEAT__WORKERS_TRY_SUBMIT(__VA_ARGS__, )
#define LEAT_WORKERS_SUBMIT_CTX(...) LEAT__WORKERS_SUBMIT_CTX(__VA_ARGS__, )
#define LEAT__WORKERS_SUBMIT(w, fn, ...)                                                           \
	__extension__({                                                                                \
		void (*leat__workers_f)(struct fn *) = (fn);                                               \
		leat_workers_submit((w), (void (*)(void *))(void (*)(void))leat__workers_f,                \
		                    &(struct fn){__VA_ARGS__}, sizeof(struct fn));                         \
	})
#define LEAT__WORKERS_TRY_SUBMIT(w, fn, ...)                                                       \
	__extension__({                                                                                \
		void (*leat__workers_f)(struct fn *) = (fn);                                               \
		leat_workers_try_submit((w), (void (*)(void *))(void (*)(void))leat__workers_f,            \
		                        &(struct fn){__VA_ARGS__}, sizeof(struct fn));                     \
	})
#define LEAT__WORKERS_SUBMIT_CTX(w, ctx, fn, ...)                                                  \
	__extension__({                                                                                \
		void (*leat__workers_f)(struct fn *) = (fn);                                               \
		leat_workers_submit_ctx((w), (void (*)(void *))(void (*)(void))leat__workers_f,            \
		                        &(struct fn){__VA_ARGS__}, sizeof(struct fn), (ctx));              \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define workers_submit(...)     LEAT_WORKERS_SUBMIT(__VA_ARGS__)
#define workers_try_submit(...) LEAT_WORKERS_TRY_SUBMIT(__VA_ARGS__)
#define workers_submit_ctx(...) LEAT_WORKERS_SUBMIT_CTX(__VA_ARGS__)
#endif

#endif /* !__cplusplus */

#endif
