/* SPDX-License-Identifier: MIT */
/*
 * Or: the first of many channels; or_done: somebody else's channel until the scope is done.
 *
 * Or is one select over all, in one goroutine.  It waits on each channel with a waiter of some 64 bytes that is the
 * scope's, and takes them all back when one of them, or the scope's end, has woken it: the silent ones keep nothing.
 */
#include "pipe/meter.h"

struct or
{
	leat_case *cases; /* the inlets, and the scope's done channel */
	void *room;       /* for the select */
};

static void leat__run_or(struct leat__stage *st, void *in, void *out)
{
	struct or * or = st->state;
	bool metered = __atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) != NULL, ok = true;
	unsigned i;

	(void)in;
	(void)out;
	if (metered)
		leat__meter_asks(st);
	i = (unsigned)leat__select_offer(or->cases, (size_t)st->inlets + 1, &ok, or->room);
	if (metered)
		leat__meter_took(st, i, ok);
	if (!ok && i < st->inlets)
		leat__stage_reason(st, leat_chan_reason(st->in[i].c));
}

leat_chan *leat_pipe_or(leat_pipe_opts at, leat_chan *const *in, size_t n)
{
	struct leat__stage *st;
	struct or * or ;

	leat__stage_count(n);
	leat__stage_check(&at);
	if (n == 0)
		return NULL;
	st = leat__stage_new(
	    &at, &(struct leat__shape){.kind = "or",
	                               .run = leat__run_or,
	                               .state_bytes = sizeof * or
	                               , .inlets = (unsigned)n, .outlets = 1, .workers = 1});
	or = st->state;
	or->cases = leat_scope_calloc(at.scope, n + 1, sizeof * or->cases);
	or->room = leat_scope_alloc(at.scope, leat__select_room_bytes(n + 1));
	leat__stage_take_all(st, in, 0);
	for (unsigned i = 0; i < st->inlets; i++)
		or->cases[i] = (leat_case){.chan = st->in[i].c, .dir = LEAT_RECV};
	or->cases[n] = (leat_case){.chan = LEAT__RAW(leat_scope_done(at.scope)), .dir = LEAT_RECV};
	leat__stage_give(st, 0, 0, 0);
	return leat__stage_start(st);
}

static void leat__run_or_done(struct leat__stage *st, void *in, void *out)
{
	(void)out;
	while (leat__stage_recv(st, 0, in) && leat__stage_send(st, 0, in))
		;
}

leat_chan *leat_pipe_or_done(leat_pipe_opts at, leat_chan *in, size_t in_bytes)
{
	return leat__stage_plain(
	    &at, &(struct leat__shape){.kind = "or_done", .run = leat__run_or_done, .workers = 1}, in,
	    (ptrdiff_t)in_bytes, (ptrdiff_t)in_bytes);
}
