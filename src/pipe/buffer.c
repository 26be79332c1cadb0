/* SPDX-License-Identifier: MIT */
/*
 * Buffers that never make their sender wait: what finds no room is lost, or an older value is for it.
 *
 * The buffer is the outlet's own.  Its stage is the only one who sends there, so what it takes out of a full one to
 * make room is room for its value, unless the consumer was faster, which is as good.
 */
#include "pipe/meter.h"

#include "sched/panic.h"

#include <leat/pipe_flow.h>

typedef void leat__reject_fn(const void *in, void *args);

static void leat__run_block(struct leat__stage *st, void *in, void *out)
{
	(void)out;
	while (leat__stage_recv(st, 0, in) && leat__stage_send(st, 0, in))
		;
}

/* DROP_NEWEST, and REJECT, which has a function. */
static void leat__run_reject(struct leat__stage *st, void *in, void *out)
{
	leat__reject_fn *fn = (leat__reject_fn *)st->fn;
	enum leat__outcome outcome;

	(void)out;
	while (leat__stage_recv(st, 0, in)) {
		outcome = leat__stage_try_send(st, 0, in);
		if (outcome == LEAT__CLOSED)
			return;
		if (outcome == LEAT__DONE)
			continue;
		leat__stage_lose(st);
		if (fn)
			fn(in, st->args);
	}
}

/* The oldest value that is in the outlet is lost, if there is one. */
static void leat__drop_oldest(struct leat__stage *st, void *v)
{
	bool ok;

	if (!leat_chan_try_recv(st->out[0].c, v, &ok) || !ok)
		return;
	leat__stage_lose(st);
	if (__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE))
		leat__meter_took_back(st, 0);
}

/* DROP_OLDEST, and LATEST, which has room for one. */
static void leat__run_drop_oldest(struct leat__stage *st, void *in, void *out)
{
	enum leat__outcome outcome;

	while (leat__stage_recv(st, 0, in)) {
		while ((outcome = leat__stage_try_send(st, 0, in)) == LEAT__BLOCKS)
			leat__drop_oldest(st, out);
		if (outcome == LEAT__CLOSED)
			return;
	}
}

static ALWAYS_INLINE leat_chan *buffer(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                       ptrdiff_t n, const struct leat__shape *shape)
{
	if (n < 0)
		leat__panic_runtime("pipe: negative capacity");
	at.cap = n;
	return leat__stage_plain(&at, shape, in, (ptrdiff_t)in_bytes, (ptrdiff_t)in_bytes);
}

leat_chan *leat_pipe_buffer(leat_pipe_opts at, leat_chan *in, size_t in_bytes, ptrdiff_t n,
                            leat_pipe_policy policy)
{
	struct leat__shape shape = {.kind = "buffer", .workers = 1};

	switch (policy) {
	case LEAT_PIPE_BLOCK:
		shape.run = leat__run_block;
		break;
	case LEAT_PIPE_DROP_NEWEST:
		shape.run = leat__run_reject;
		break;
	case LEAT_PIPE_DROP_OLDEST:
		if (n == 0)
			leat__panic_runtime("pipe: buffer without room");
		shape.run = leat__run_drop_oldest;
		break;
	case LEAT_PIPE_LATEST:
		n = 1;
		shape.run = leat__run_drop_oldest;
		break;
	default:
		leat__panic_runtime("pipe: no such policy");
	}
	return buffer(at, in, in_bytes, n, &shape);
}

leat_chan *leat_pipe_reject(leat_pipe_opts at, leat_chan *in, size_t in_bytes, ptrdiff_t n,
                            void (*fn)(const void *in, void *args), const void *args,
                            size_t args_bytes)
{
	return buffer(at, in, in_bytes, n,
	              &(struct leat__shape){.kind = "reject",
	                                    .run = leat__run_reject,
	                                    .fn = (void (*)(void))fn,
	                                    .args = args,
	                                    .args_bytes = args_bytes,
	                                    .workers = 1});
}

uint64_t leat_pipe_lost(leat_scope *s, leat_chan *out)
{
	struct leat__stage *st;

	if (!s)
		leat__panic_runtime("pipe of nil scope");
	st = leat__stage_of(s, out);
	if (!st)
		leat__panic_runtime("pipe: not the output of a stage of the scope");
	return __atomic_load_n(&st->lost, __ATOMIC_RELAXED);
}
