/* SPDX-License-Identifier: MIT */
/*
 * Contexts: a tree along which cancellation and deadlines go down, and values are looked up.  After Go's
 * package context.
 *
 *	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_SECOND);
 *	defer(leat_ctx_free, ctx);
 *
 *	chan_select {
 *		case_recv(leat_ctx_done(ctx))
 *			return leat_ctx_err(ctx);
 *		case_recv(answers, a)
 *			use(a);
 *	}
 *
 * A scope (leat/scope.h) is a context too: wherever a leat_any_ctx is asked for, give a leat_ctx * or a
 * leat_scope *.  Where it says so NULL is taken as well.
 *
 * Cancelling.  Go returns a function to cancel with; here the context itself is cancelled.  Contexts
 * below it are done when that returns; those above and beside it are not touched.  The first reason
 * counts, for each context of its own.
 *
 * Memory.  Who makes a context frees it with leat_ctx_free, children before parents; that cancels it, so
 * `defer(leat_ctx_free, ctx)` stands for Go's `defer cancel()`.  What is made below a scope goes with that
 * scope at the latest, and need not be freed.  A context must outlive all calls that were given it.
 *
 * Any goroutine, any thread, all of it.  Cancelling a context happens before whatever follows from having
 * found it done.
 */
#ifndef LEAT_CTX_H
#define LEAT_CTX_H

#include <leat/chan.h>
#include <leat/error.h>

LEAT__BEGIN

/* All fields are private. */
typedef struct leat_ctx {
	struct leat_ctx *leat__parent; /* whose values it has */
	struct leat_ctx *leat__source; /* who says whether it is done: itself, one above; NULL: never */
	struct leat_ctx *leat__up, *leat__child, *leat__next, *leat__prev, *leat__root;
	struct leat_ctx *leat__owner, *leat__owned,
	    *leat__owned_prev; /* by a scope, which frees them */
	leat_chan *leat__done; /* made when first asked for */
	void *leat__watches, *leat__timer;
	int64_t leat__at; /* its own deadline, INT64_MAX: none */
	const void *leat__key;
	void *leat__value;
	const leat_error *leat__cause;
	int leat__err;        /* 0, or why it is done */
	uint32_t leat__below; /* how many were made from it and live */
	uint8_t leat__lock, leat__kind, leat__armed;
} leat_ctx;

struct leat_scope;

/* A leat_ctx * or a leat_scope *; from C++ a leat_ctx * alone. */
#ifdef __cplusplus
typedef leat_ctx *leat_any_ctx;
#else
typedef union leat_any_ctx {
	leat_ctx *leat__ctx;
	struct leat_scope *leat__scope;
} leat_any_ctx __attribute__((transparent_union));
#endif

/* --- roots */

/* The root of all: never done, no deadline, no values.  The two differ in name only: todo says that it is not
   clear yet which context to use.  Not to be freed.  After context.Background and TODO. */
LEAT_API leat_ctx *leat_ctx_background(void);
LEAT_API leat_ctx *leat_ctx_todo(void);

/* --- made from a parent.  All: panic "cannot create context from nil parent" and "out of memory" */

/* A context that can be cancelled.  Done at once where the parent is.  After context.WithCancel. */
LEAT_API leat_ctx *leat_ctx_with_cancel(leat_any_ctx parent) LEAT__WARN_UNUSED;

/*
 * The same, which is done with -ETIMEDOUT when the instant at_ns of leat_now has come, or after duration_ns
 * nanoseconds; at once when that is past.  Where the parent's deadline is earlier that one counts.  A
 * deadline is INT64_MAX - 1 at most.
 * cause: what leat_ctx_cause is to give then, NULL for leat_deadline_exceeded; a cancel does not give it.  The
 * context holds it, beside the caller.
 * After context.WithDeadline, WithTimeout, WithDeadlineCause, WithTimeoutCause.
 */
LEAT_API leat_ctx *leat_ctx_with_deadline(leat_any_ctx parent, int64_t at_ns) LEAT__WARN_UNUSED;
LEAT_API leat_ctx *leat_ctx_with_timeout(leat_any_ctx parent,
                                         int64_t duration_ns) LEAT__WARN_UNUSED;
LEAT_API leat_ctx *leat_ctx_with_deadline_cause(leat_any_ctx parent, int64_t at_ns,
                                                const leat_error *cause) LEAT__WARN_UNUSED;
LEAT_API leat_ctx *leat_ctx_with_timeout_cause(leat_any_ctx parent, int64_t duration_ns,
                                               const leat_error *cause) LEAT__WARN_UNUSED;

/* The parent's values, but never done, and without a deadline.  After context.WithoutCancel. */
LEAT_API leat_ctx *leat_ctx_without_cancel(leat_any_ctx parent) LEAT__WARN_UNUSED;

/* What names a value: an object, known by its address.  LEAT_CTX_KEY makes one with a type. */
typedef struct leat_ctx_key {
	const char *name; /* shown by leat_ctx_string */
} leat_ctx_key;

/*
 * The parent with one value more.  The value is the caller's and must outlive the context.
 * Panics "nil key".  After context.WithValue.
 */
LEAT_API leat_ctx *leat_ctx_with_value(leat_any_ctx parent, const leat_ctx_key *key,
                                       void *value) LEAT__WARN_UNUSED;

/* --- asking */

/* 0 while ctx is not done, then for ever -ECANCELED or -ETIMEDOUT, and its done channel is closed.  0 for
   NULL.  Costs a load or two. */
LEAT_API int leat_ctx_err(leat_any_ctx ctx);

/* The same as an error: NULL, &leat_canceled or &leat_deadline_exceeded.  After Context.Err. */
LEAT_API const leat_error *leat_ctx_error(leat_any_ctx ctx);

/*
 * Why ctx is done: the cause of the first cancellation on its way from the root; where none was given, as
 * leat_ctx_error.  NULL while it is not done.  After context.Cause.
 * The context holds it until it is freed; who needs it longer takes leat_error_retain.
 */
LEAT_API const leat_error *leat_ctx_cause(leat_any_ctx ctx);

/*
 * A channel that is closed when ctx is done, always the same one; NULL, which a select passes over, where
 * that can never be, and for a ctx that is NULL.  It belongs to the context.  Panics "out of memory".
 * After Context.Done.
 */
LEAT_API LEAT_RECV_CHAN(leat_empty) leat_ctx_done(leat_any_ctx ctx);

/* True, and the instant in *at_ns (NULL: not wanted), where ctx has a deadline: the earliest of all from ctx
   up.  Costs a step per context on the way.  After Context.Deadline. */
LEAT_API bool leat_ctx_deadline(leat_any_ctx ctx, int64_t *at_ns);

/* The value of the nearest context, from ctx up, that has this key; NULL without one.  Panics "nil key".
   Costs a step per context on the way.  After Context.Value. */
LEAT_API void *leat_ctx_value(leat_any_ctx ctx, const leat_ctx_key *key);

/*
 * Write how ctx came about, such as "context.Background.WithCancel.WithValue(user)", into text, cut to
 * bytes - 1 characters and a NUL.  Returns the whole length, as snprintf.  After Go's String.
 */
LEAT_API size_t leat_ctx_string(leat_any_ctx ctx, char *text, size_t bytes);

/* --- ending */

/*
 * Let ctx, and all below it, be done with -ECANCELED; those that are already stay as they are.  cause:
 * what leat_ctx_cause is to give, NULL for leat_canceled; each context that it ends holds it, too, beside the
 * caller.  Never parks.
 * Panics "context: cannot be cancelled" for roots, values, custom contexts and those without cancel.
 * After the CancelFunc and CancelCauseFunc of package context.
 */
LEAT_API void leat_ctx_cancel(leat_any_ctx ctx);
LEAT_API void leat_ctx_cancel_cause(leat_any_ctx ctx, const leat_error *cause);

/*
 * Cancel ctx and free it, its done channel with it; NULL is a no-op.  No other use of it may overlap or
 * follow.  Panics "ctx_free: contexts below it live on", "ctx_free: it is a root" and, for a scope's own
 * context, "ctx_free: it is a scope".
 */
LEAT_API void leat_ctx_free(leat_ctx *ctx);

/* --- waits that a context ends */

/*
 * Send and receive as leat_chan_send and leat_chan_recv (all they promise, and panic, holds here too), but
 * return -ECANCELED or -ETIMEDOUT once ctx is done: at once, even if c is ready, when it is done before.  0 when
 * the value was sent or received.  A receive from a channel that is closed and drained returns -EPIPE, with
 * *elem zeroed; why it was closed leat_chan_reason tells.
 *
 * Either the value went over or the call returns an error: with -ECANCELED or -ETIMEDOUT nothing was sent, and no
 * value lost, *elem is as it was, and nothing is left behind.  On a NULL channel only ctx ends the wait.
 * ctx: NULL for none; it must outlive the call.  Never allocates, but for custom contexts ("out of memory").
 * Go writes a select with ctx.Done() for these, which may take the other case when both are ready.
 */
LEAT_API int leat_chan_send_ctx(leat_chan *c, const void *elem, leat_any_ctx ctx) LEAT__WARN_UNUSED;
LEAT_API int leat_chan_recv_ctx(leat_chan *c, void *elem, leat_any_ctx ctx) LEAT__WARN_UNUSED;

/*
 * Park the caller for at least duration_ns nanoseconds: 0; or until ctx is done, which may be before the
 * call: -ECANCELED or -ETIMEDOUT.  A duration of 0 or less only asks whether ctx is done; one too long for the
 * clock leaves ctx alone to end it.  No timer is left behind.
 *
 * ctx: NULL for none.  Any goroutine, any thread.  Panics "out of memory" as leat_sleep does.
 */
LEAT_API int leat_sleep_ctx(int64_t duration_ns, leat_any_ctx ctx);

/* --- a function when done */

/* All fields are private.  The caller's, until fn was started or a stop has returned. */
typedef struct leat_ctx_after {
	void *leat__watch[5];
	void *leat__goroutine;
	uint8_t leat__state;
} leat_ctx_after;

/*
 * Start fn(arg) in a goroutine of its own when ctx is done; at once where it is.  Several on one context are
 * independent of each other, and the cancel that starts fn does not wait for it.
 * Panics "out of memory"; running out of it later cannot happen.  Fatal "go of nil func value".
 * What precedes this call, and the cancel, happens before fn's first statement.  After context.AfterFunc.
 */
LEAT_API void leat_ctx_after_func(leat_any_ctx ctx, leat_ctx_after *a, void (*fn)(void *),
                                  void *arg);

/* True when this call keeps fn from being started; false when it was, or was stopped before.  Does not
   wait for fn.  ctx must still be there. */
LEAT_API bool leat_ctx_after_stop(leat_ctx_after *a);

/* --- custom contexts */

/* What a program's own kind of context does; each may be NULL but name.  All are called from outside the
   runtime, by any goroutine, and may use all of leat. */
typedef struct leat_ctx_ops {
	const char *name;                               /* shown by leat_ctx_string */
	LEAT_RECV_CHAN(leat_empty) (*done)(void *self); /* closed when it is done; always the same */
	int (*err)(void *self);                 /* needed with done: 0, then -ECANCELED or -ETIMEDOUT */
	const leat_error *(*cause)(void *self); /* with done: why it is done; self holds it */
	bool (*deadline)(void *self, int64_t *at_ns); /* false: it has none, whatever the parent has */
	void *(*value)(void *self, const leat_ctx_key *key); /* NULL: the parent is asked */
} leat_ctx_ops;

/*
 * A context that answers by ops; what ops does not have the parent answers.
 *
 * With a done of its own the parent's end does not concern it, and while others depend on it (contexts
 * below, waits, functions) one goroutine waits for that channel; without one it costs none.  leat_ctx_free
 * ends those that still depend on it with -ECANCELED.
 * ops and self must outlive it.  Panics "ctx_custom: done without err".  After Go's custom implementations of Context.
 */
LEAT_API leat_ctx *leat_ctx_custom(leat_any_ctx parent, const leat_ctx_ops *ops,
                                   void *self) LEAT__WARN_UNUSED;

LEAT__END

/* ISO C has no transparent unions, as -Wpedantic would say at each call that is given a context.  So such
   a function has a macro of its name, in every header, which says that this is meant. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_ctx_with_cancel(...)         __extension__ leat_ctx_with_cancel(__VA_ARGS__)
#define leat_ctx_with_deadline(...)       __extension__ leat_ctx_with_deadline(__VA_ARGS__)
#define leat_ctx_with_timeout(...)        __extension__ leat_ctx_with_timeout(__VA_ARGS__)
#define leat_ctx_with_deadline_cause(...) __extension__ leat_ctx_with_deadline_cause(__VA_ARGS__)
#define leat_ctx_with_timeout_cause(...)  __extension__ leat_ctx_with_timeout_cause(__VA_ARGS__)
#define leat_ctx_without_cancel(...)      __extension__ leat_ctx_without_cancel(__VA_ARGS__)
#define leat_ctx_with_value(...)          __extension__ leat_ctx_with_value(__VA_ARGS__)
#define leat_ctx_err(...)                 __extension__ leat_ctx_err(__VA_ARGS__)
#define leat_ctx_error(...)               __extension__ leat_ctx_error(__VA_ARGS__)
#define leat_ctx_cause(...)               __extension__ leat_ctx_cause(__VA_ARGS__)
#define leat_ctx_done(...)                __extension__ leat_ctx_done(__VA_ARGS__)
#define leat_ctx_deadline(...)            __extension__ leat_ctx_deadline(__VA_ARGS__)
#define leat_ctx_value(...)               __extension__ leat_ctx_value(__VA_ARGS__)
#define leat_ctx_string(...)              __extension__ leat_ctx_string(__VA_ARGS__)
#define leat_ctx_cancel(...)              __extension__ leat_ctx_cancel(__VA_ARGS__)
#define leat_ctx_cancel_cause(...)        __extension__ leat_ctx_cancel_cause(__VA_ARGS__)
#define leat_chan_send_ctx(...)           __extension__ leat_chan_send_ctx(__VA_ARGS__)
#define leat_chan_recv_ctx(...)           __extension__ leat_chan_recv_ctx(__VA_ARGS__)
#define leat_sleep_ctx(...)               __extension__ leat_sleep_ctx(__VA_ARGS__)
#define leat_ctx_after_func(...)          __extension__ leat_ctx_after_func(__VA_ARGS__)
#define leat_ctx_custom(...)              __extension__ leat_ctx_custom(__VA_ARGS__)
#endif

#ifndef __cplusplus

/*
 * LEAT_CTX_KEY(key, T): define a key whose values are T *; static may stand before it.
 * LEAT_CTX_KEY_DECLARE(key, T) declares it in a header.
 * The type belongs to the key's name, which the macros below must be given.
 */
#define LEAT_CTX_KEY(key, T)                                                                       \
	const leat_ctx_key key = {#key};                                                               \
	LEAT__CTX_KEY_TYPE(key, T)
#define LEAT_CTX_KEY_DECLARE(key, T)                                                               \
	extern const leat_ctx_key key;                                                                 \
	LEAT__CTX_KEY_TYPE(key, T)
#define LEAT__CTX_KEY_TYPE(key, T) typedef __typeof__(T) LEAT__CTX_TYPE(key) LEAT__UNUSED
#define LEAT__CTX_TYPE(key)        leat__ctx_type_##key

/* LEAT_CTX_WITH_VALUE(parent, key, pointer), LEAT_CTX_VALUE(ctx, key): the same with the key's type. */
#define LEAT_CTX_WITH_VALUE(parent, key, pointer)                                                  \
	__extension__({                                                                                \
		LEAT__CTX_TYPE(key) *leat__v = (pointer);                                                  \
		leat_ctx_with_value((parent), &(key), (void *)(uintptr_t)leat__v);                         \
	})
#define LEAT_CTX_VALUE(ctx, key) ((LEAT__CTX_TYPE(key) *)leat_ctx_value((ctx), &(key)))

/*
 * LEAT_CHAN_SEND_CTX(c, value, ctx), LEAT_CHAN_RECV_CTX(c, vp, ctx): the same, typed; vp is a T *, or NULL to drop
 * the value.  A value with commas of its own needs parentheses.
 */
#define LEAT_CHAN_SEND_CTX(c, value, ctx) LEAT__SENDING_CTX(__COUNTER__, c, value, ctx)
#define LEAT__SENDING_CTX(n, c, v, ctx)                                                            \
	__extension__({                                                                                \
		LEAT__CAN_SEND(c);                                                                         \
		leat_chan *LEAT__VAR(chan, n) = LEAT__RAW(c);                                              \
		LEAT__ELEM(c) LEAT__VAR(value, n) = v;                                                     \
		leat_chan_send_ctx(LEAT__VAR(chan, n), (const void *)&LEAT__VAR(value, n), (ctx));         \
	})

#define LEAT_CHAN_RECV_CTX(c, vp, ctx) LEAT__RECEIVING_CTX(__COUNTER__, c, vp, ctx)
#define LEAT__RECEIVING_CTX(n, c, vp, ctx)                                                         \
	__extension__({                                                                                \
		LEAT__CAN_RECV(c);                                                                         \
		LEAT__ELEM(c) * LEAT__VAR(to, n) = (vp);                                                   \
		leat_chan_recv_ctx(LEAT__RAW(c), (void *)LEAT__VAR(to, n), (ctx));                         \
	})

#ifndef LEAT_NO_SHORT_NAMES
#define chan_recv_ctx(c, vp, ctx)       LEAT_CHAN_RECV_CTX(c, vp, ctx)
#define chan_send_ctx(c, v, ctx)        LEAT_CHAN_SEND_CTX(c, v, ctx)
#define ctx_free(ctx)                   leat_ctx_free(ctx)
#define ctx_value(ctx, key)             LEAT_CTX_VALUE(ctx, key)
#define ctx_with_value(ctx, key, value) LEAT_CTX_WITH_VALUE(ctx, key, value)
#endif

#endif /* !__cplusplus */

#endif
