/* SPDX-License-Identifier: MIT */
/*
 * Stages: what a pipeline is made of.
 *
 * A stage is one goroutine, or several workers, that receives from its inlets, sends on its outlets, and closes
 * these at its end, whichever way it ends.  To make one:
 *
 *	struct leat__stage *st = leat__stage_new(&at, &(struct leat__shape){...});
 *	leat__stage_take(st, 0, in);                  each inlet
 *	leat__stage_give(st, 0, sizeof(int), cap);    each outlet: a channel of the stage's own
 *	leat__stage_start(st);
 *
 * Its run function, called once by each worker, loops until leat__stage_recv or leat__stage_send says that it is over.
 *
 * Cancelling.  When the scope is done, the channels of its stages are closed, once, by the pipe.  That ends
 * whoever waits on them, in either direction.  So a stage that neither receives from nor sends to anybody else
 * needs no select: it pays for a plain channel, and looks at the scope once for each value it receives.  Only an inlet
 * that is another's, whom the pipe cannot close, is received from with the context (leat_chan_recv_ctx).
 */
#ifndef LEAT_PIPE_STAGE_H
#define LEAT_PIPE_STAGE_H

#include "base/atomic.h"
#include "chan/chan.h"
#include "ctx/ctx.h"

#include <leat/mutex.h>
#include <leat/pipe.h>
#include <leat/pipe_join.h>

/* Where a stage receives from or sends to. */
struct leat__port {
	leat_chan *c;
	bool ours;                /* closed with the scope at the latest */
	uint32_t elem_bytes;      /* c may be NULL */
	struct leat__stage *peer; /* an inlet's: the stage whose outlet it is, or NULL */
};

/* What is counted of a stage while somebody watches (pipe/monitor.c). */
struct leat__meter;

/*
 * Everything is set before the stage starts, and constant then, but for what says otherwise.  Lives in the scope's
 * memory.
 */
struct leat__stage {
	struct leat__pipe *pipe;
	struct leat__stage *next; /* of its pipe, newest first; the pipe's lock */
	leat_scope *scope;
	const char *kind, *name;
	void (*run)(struct leat__stage *st, void *in, void *out);
	void (*fn)(void); /* the program's, cast */
	void *args;       /* the stage's copy */
	void *state;      /* of the stage's kind */
	int64_t n;        /* likewise */
	void *created_at; /* where in the program */
	unsigned inlets, outlets;
	struct leat__port *in, *out;
	char *buffers; /* a worker's values: one of the first inlet's, and one of the first outlet's */
	size_t buffer_bytes, out_at; /* a worker's, and where in there its outlet's is */
	int workers;
	int alive;        /* workers that have not ended; atomic */
	bool closes_late; /* it selects on its outlets: they are closed by nobody but itself */
	bool bridges;     /* what it receives are channels, whose values it sends */
	bool complete;    /* it has sent all that it was to send, and passes on no reason; its worker */
	leat_pipe_panics panics;
	uint64_t lost; /* values that it received and will not send, of kinds that count them; atomic */
	const leat_error *reason;  /* why it ended, held until the scope's end; who cas it from NULL */
	struct leat__meter *meter; /* atomic; NULL: nobody watches */
};

/* What leat__stage_new is to make. */
struct leat__shape {
	const char *kind; /* "map": what a stage without a name is called, and the monitor shows */
	void (*run)(struct leat__stage *st, void *in, void *out);
	void (*fn)(void);
	const void *args; /* to be copied */
	size_t args_bytes;
	size_t state_bytes; /* zeroed, 0 for none */
	unsigned inlets, outlets;
	int workers; /* 0: as the options say, else this many */
	bool closes_late, bridges;
};

/* Errors that are in results (pipe/result.c). */
struct leat__errors {
	leat_mutex mutex;
	const leat_error **all;
	size_t n, room;
};

void leat__errors_end(struct leat__errors *a);

/* The pipeline of a scope: all its stages. */
struct leat__pipe {
	leat_scope *scope;
	struct leat__watch watch;
	struct leat__stage *stages; /* newest first */
	uint8_t lock;   /* protects stages and cancelled; after the lock of the context's tree */
	bool cancelled; /* their channels were closed */
	struct leat__monitor *monitor; /* atomic; NULL: none */
	struct leat__errors errors;
};

/*
 * A stage of at's scope, which does not run yet.  Panics "pipe of nil scope", "pipe: ..." for options that make
 * no sense, and "out of memory".
 */
struct leat__stage *leat__stage_new_from(void *created_at, const leat_pipe_opts *at,
                                         const struct leat__shape *shape);

/* leat__stage_new(at, shape), in what the program called, or in what is always inlined there: reports say where that was.
   The shape's literal has commas. */
#define leat__stage_new(...) leat__stage_new_from(__builtin_return_address(0), __VA_ARGS__)

/* Inlet i is c, which may be NULL and then never has a value. */
void leat__stage_take(struct leat__stage *st, unsigned i, leat_chan *c, size_t elem_bytes);

/* The inlets are c[0] to c[inlets - 1].  In the order in which their stages were made this costs little for each. */
void leat__stage_take_all(struct leat__stage *st, leat_chan *const *c, size_t elem_bytes);

/* c is an outlet of one of p's stages, and so closed when the scope is done. */
bool leat__pipe_owns(struct leat__pipe *p, const leat_chan *c);

/* Panics as leat__stage_new does for such options. */
void leat__stage_check(const leat_pipe_opts *at);

/* How many channels a stage may have: for what takes arrays of them.  Panics "pipe: number of channels out of range". */
void leat__stage_count(size_t n);

/* Channels in the program's arrays, whose types are typed ones. */
typedef leat_chan *leat__any_chan __attribute__((may_alias));

/* Outlet i is a new channel, of the scope's; returned. */
leat_chan *leat__stage_give(struct leat__stage *st, unsigned i, size_t elem_bytes, ptrdiff_t cap);

/* All is set: let it run.  Returns its first outlet, or NULL. */
leat_chan *leat__stage_start(struct leat__stage *st);

/* For most: one inlet (in_bytes of -1: none), one outlet (likewise), started. */
leat_chan *leat__stage_plain_from(void *created_at, const leat_pipe_opts *at,
                                  const struct leat__shape *shape, leat_chan *in,
                                  ptrdiff_t in_bytes, ptrdiff_t out_bytes);

/* leat__stage_plain(at, shape, in, in_bytes, out_bytes): the same, as leat__stage_new is. */
#define leat__stage_plain(...) leat__stage_plain_from(__builtin_return_address(0), __VA_ARGS__)

/* leat_pipe_map, as if called from there. */
leat_chan *leat__pipe_map_from(void *created_at, const leat_pipe_opts *at, leat_chan *in,
                               size_t in_bytes, size_t out_bytes,
                               void (*fn)(const void *in, void *out, void *args), const void *args,
                               size_t args_bytes);

/* The pipe of s; made if need be.  Panics "out of memory". */
struct leat__pipe *leat__pipe_of(leat_scope *s);

/* The scope is done: the stage is to end. */
static ALWAYS_INLINE bool leat__stage_over(const struct leat__stage *st)
{
	return unlikely(leat__ctx_err(&st->scope->leat__ctx) != 0);
}

/* A copy of e (held by the stage from now on, whoever gave it) becomes the reason for which the outlets will be closed,
   unless there is one. */
void leat__stage_reason(struct leat__stage *st, const leat_error *e);

/* One more value is lost. */
static inline void leat__stage_lose(struct leat__stage *st)
{
	__atomic_fetch_add(&st->lost, 1, __ATOMIC_RELAXED);
}

/* And it is all that the worker holds, but for the one that it received last. */
void leat__stage_lose_older(struct leat__stage *st);

/* e, which has a code, is the reason and the cause for which the scope fails.  The caller's hold stays. */
void leat__stage_fail(struct leat__stage *st, const leat_error *e);

/* The stage of s that has c for an outlet, or NULL. */
struct leat__stage *leat__stage_of(leat_scope *s, const leat_chan *c);

/* With the clock, and counted. */
bool leat__stage_recv_metered(struct leat__stage *st, unsigned i, void *v);
bool leat__stage_send_metered(struct leat__stage *st, unsigned i, const void *v);

/* Without counting.  A value that comes when the scope is done is dropped: false, but *taken. */
static ALWAYS_INLINE bool leat__stage_recv_plain(struct leat__stage *st, unsigned i, void *v,
                                                 bool *taken)
{
	struct leat__port *in = &st->in[i];

	if (likely(in->ours)) {
		*taken = leat_chan_recv(in->c, v);
		return *taken && !leat__stage_over(st);
	}
	*taken = leat_chan_recv_ctx(in->c, v, (leat_any_ctx)st->scope) == 0;
	return *taken;
}

/*
 * The next value of inlet i into *v: true; false: it is closed and drained, or the scope is done; the stage is to
 * end.  A value that comes while the scope becomes done may be lost.
 */
static ALWAYS_INLINE bool leat__stage_recv(struct leat__stage *st, unsigned i, void *v)
{
	bool taken;

	if (unlikely(__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) != NULL))
		return leat__stage_recv_metered(st, i, v);
	return leat__stage_recv_plain(st, i, v, &taken);
}

/*
 * The same until the instant at_ns of leat_now, or INT64_MAX: later than that it is LEAT__LATE.  For the monitor, what
 * the worker holds and has sent nothing for stays with it.
 */
enum leat__received { LEAT__GOT, LEAT__LATE, LEAT__ENDED };
enum leat__received leat__stage_recv_by(struct leat__stage *st, unsigned i, void *v, int64_t at_ns);

/* The stage will use leat__stage_recv_by: what that needs where its inlets are another's.  Panics "out of memory". */
void leat__stage_will_time(struct leat__stage *st);

/* With the clock, and counted. */
enum leat__outcome leat__stage_try_send_metered(struct leat__stage *st, unsigned i, const void *v);

/* Send *v on outlet i if that needs no waiting. */
static ALWAYS_INLINE enum leat__outcome leat__stage_try_send(struct leat__stage *st, unsigned i,
                                                             const void *v)
{
	if (unlikely(__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) != NULL))
		return leat__stage_try_send_metered(st, i, v);
	return leat__chan_try_offer(st->out[i].c, v);
}

/* Send *v on outlet i: true; false: the scope is done, and the stage is to end. */
static ALWAYS_INLINE bool leat__stage_send(struct leat__stage *st, unsigned i, const void *v)
{
	if (unlikely(__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) != NULL))
		return leat__stage_send_metered(st, i, v);
	return leat__chan_offer(st->out[i].c, v);
}

#endif
