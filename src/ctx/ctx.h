/* SPDX-License-Identifier: MIT */
/* Contexts for what is built on them: scopes, and waits that a context may end (ctx/wait.h). */
#ifndef LEAT_CTX_CTX_H
#define LEAT_CTX_CTX_H

#include "chan/chan.h"
#include "sched/scheduler.h"

#include <leat/ctx.h>

enum leat__ctx_kind {
	LEAT__CTX_BACKGROUND,
	LEAT__CTX_TODO,
	LEAT__CTX_CANCEL,
	LEAT__CTX_DEADLINE,
	LEAT__CTX_VALUE,
	LEAT__CTX_WITHOUT_CANCEL,
	LEAT__CTX_CUSTOM,
	LEAT__CTX_SCOPE,
	LEAT__CTX_SIGNAL,
};

/* At the end of a scope or of a context of signals, of which leat__value tells that signals may end it.  Set by the signals,
   which stand above.  Out of the runtime. */
extern void (*leat__on_signalled_end)(leat_ctx *c);

/* Something to be told once that a context is done. */
struct leat__watch {
	struct leat__watch *next, *prev;
	leat_ctx *ctx; /* its source; NULL: it is on no list */
	/* In the runtime, under the root's lock, off the list: may ready goroutines, must not park. */
	void (*done)(struct leat__m *m, struct leat__watch *w);
};

/* Custom contexts with a done channel of their own must be watched while somebody depends on them: around
   that time.  Out of the runtime; begin panics "out of memory". */
void leat__ctx_depend(leat_ctx *source);
void leat__ctx_undepend(leat_ctx *source);

/* In the runtime.  Put w on the list of source, which is not NULL; false: it is done already. */
bool leat__ctx_watch(leat_ctx *source, struct leat__watch *w);

/* In the runtime.  Off the list of source; true when it was still there: then done was not called and will
   not be. */
bool leat__ctx_unwatch(leat_ctx *source, struct leat__watch *w);

/* Why ctx, a source, is done, or 0. */
static ALWAYS_INLINE int leat__ctx_err(const leat_ctx *source)
{
	int err = __atomic_load_n(&source->leat__err, __ATOMIC_ACQUIRE);

	if (unlikely(err))
		leat__hb_acquire(&source->leat__err);
	return err;
}

/* The same for whoever asks: once it says so, the done channel is closed.  Out of the runtime. */
int leat__ctx_told(const leat_ctx *source);

/* Zeroed c becomes a context below parent, which may be NULL for a scope. */
void leat__ctx_init(leat_ctx *c, leat_ctx *parent, enum leat__ctx_kind kind);

/* In the runtime: source and all below it are done.  True when some of them have deadlines, which are to be
   stopped, unless the caller holds the timers' lock. */
bool leat__ctx_cancel(struct leat__m *m, leat_ctx *source, int err, const leat_error *cause);

/* The context after c in a walk of top's tree, which is locked, that visits a context before those below it;
   below: go there first.  NULL after the last. */
leat_ctx *leat__ctx_walk(leat_ctx *c, const leat_ctx *top, bool below);

#define LEAT__CTX_LAST (INT64_MAX - 1) /* the last instant that can be a deadline */

/* As leat_scope_deadline; what is later than a deadline that there is changes nothing.  Out of the
   runtime; panics "out of memory". */
void leat__ctx_set_deadline(leat_ctx *c, int64_t at_ns, const leat_error *cause);

/* Stop and free the deadline of c, which nobody uses; stop those of all in the tree below source, which is
   done.  Out of the runtime. */
void leat__ctx_free_timer(leat_ctx *c);
void leat__ctx_stop_timers(leat_ctx *source);

/* The same in the runtime, without a lock of those from the deadlines' on. */
void leat__ctx_stop_timers_within(leat_ctx *source);

/* The context's end: its timer, its place in the tree, its channel and its custom part.  c itself stays. */
void leat__ctx_end(leat_ctx *c);

/* Free what was made below the scope c and is still there. */
void leat__ctx_free_owned(leat_ctx *c);

/* The rest of a custom context, custom.c.  Out of the runtime. */
int leat__custom_err(const leat_ctx *c);
const leat_error *leat__custom_cause(const leat_ctx *c);
recv_chan(leat_empty) leat__custom_done(const leat_ctx *c);
bool leat__custom_deadline(const leat_ctx *c,
                           int64_t *at_ns); /* false: ask the parent; INT64_MAX: none */
bool leat__custom_value(const leat_ctx *c, const leat_ctx_key *key, void **value);
const char *leat__custom_name(const leat_ctx *c);
void leat__custom_end(leat_ctx *c);

/* New, owned by the scope that parent belongs to, if any.  Panics "cannot create context from nil parent" and
   "out of memory". */
leat_ctx *leat__ctx_new(leat_ctx *parent, enum leat__ctx_kind kind);

#endif
