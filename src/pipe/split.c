/* SPDX-License-Identifier: MIT */
/*
 * Tee: every value on each of k outlets.
 *
 * A value is offered to all outlets before the next is received, in whatever order their receivers come: first to those
 * who wait already or have room, then, in a select, to the others, and to the last of all by a plain send.  So no
 * outlet is more than one value (and its buffer) ahead of another, and a tee whose receivers keep up selects
 * seldom.  Where the scope is done the pipe has closed all outlets, or is about to: the first that says so ends it.
 */
#include "pipe/stage.h"

#include "pipe/meter.h"
#include "sched/panic.h"

struct tee {
	leat_case *left; /* the outlets that do not have the value yet */
	void *room;      /* for the select */
};

/* False: the scope is done. */
static bool leat__tee_send(struct leat__stage *st, void *v)
{
	struct tee *t = st->state;
	unsigned n = 0;

	for (unsigned i = 0; i < st->outlets; i++)
		switch (leat__chan_try_offer(st->out[i].c, v)) {
		case LEAT__DONE:
			break;
		case LEAT__BLOCKS:
			t->left[n++] = (leat_case){st->out[i].c, LEAT_SEND, v};
			break;
		default:
			return false;
		}
	while (n > 1) {
		int i = leat__select_offer(t->left, n, NULL, t->room);

		if (i < 0)
			return false;
		t->left[i] = t->left[--n];
	}
	return n == 0 || leat__chan_offer(t->left[0].chan, v);
}

static bool leat__tee_send_metered(struct leat__stage *st, void *v)
{
	bool sent;

	leat__meter_offers_all(st);
	sent = leat__tee_send(st, v);
	leat__meter_offered_all(st);
	return sent;
}

static void leat__run_tee(struct leat__stage *st, void *in, void *out)
{
	(void)out;
	while (leat__stage_recv(st, 0, in))
		if (!(__atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) ? leat__tee_send_metered
		                                                    : leat__tee_send)(st, in))
			return;
}

leat_chan **leat_pipe_tee(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t k)
{
	struct leat__stage *st;
	leat__any_chan *out;
	struct tee *t;

	if (k < 1)
		leat__panic_runtime("pipe: number of channels out of range");
	leat__stage_count(k);
	st = leat__stage_new(&at, &(struct leat__shape){.kind = "tee",
	                                                .run = leat__run_tee,
	                                                .state_bytes = sizeof *t,
	                                                .inlets = 1,
	                                                .outlets = (unsigned)k,
	                                                .workers = 1});
	t = st->state;
	t->left = leat_scope_calloc(at.scope, k, sizeof *t->left);
	t->room = leat_scope_alloc(at.scope, leat__select_room_bytes(k));
	out = leat_scope_calloc(at.scope, k, sizeof *out);
	leat__stage_take(st, 0, in, in_bytes);
	for (size_t i = 0; i < k; i++)
		out[i] = leat__stage_give(st, (unsigned)i, in_bytes, at.cap);
	leat__stage_start(st);
	return (leat_chan **)out;
}
