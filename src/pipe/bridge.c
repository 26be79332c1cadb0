/* SPDX-License-Identifier: MIT */
/*
 * Bridge: the values of channels that come on a channel, one after the other, as if they were one channel's.
 *
 * The inner channels are the program's, mostly, so they are received from with the context.  Why the stream ended
 * is what the outer channel says, else the last of the inner ones: who feeds the bridge may end one with a failure
 * that it makes good with the next.
 */
#include "pipe/meter.h"

/* The next value of an inner channel; false: it is closed and drained, or the scope is done. */
static bool leat__inner_recv(struct leat__stage *st, leat_chan *inner, bool ours, void *v)
{
	bool metered = __atomic_load_n(&st->meter, __ATOMIC_ACQUIRE) != NULL, taken;

	if (metered)
		leat__meter_asks(st);
	taken = ours ? leat_chan_recv(inner, v)
	             : leat_chan_recv_ctx(inner, v, (leat_any_ctx)st->scope) == 0;
	if (metered)
		leat__meter_took(st, 1, taken);
	return taken && !(ours && leat__stage_over(st));
}

static void leat__run_bridge(struct leat__stage *st, void *in, void *out)
{
	const leat_error *why = NULL; /* the last inner channel was closed; held */

	while (leat__stage_recv(st, 0, in)) {
		leat_chan *inner = *(leat__any_chan *)in;
		bool ours = leat__pipe_owns(st->pipe, inner);

		if (!inner)
			continue;
		leat_error_free(why);
		why = NULL;
		while (leat__inner_recv(st, inner, ours, out))
			if (!leat__stage_send(st, 0, out))
				return;
		if (leat__stage_over(st))
			return;
		why = leat_error_retain(leat_chan_reason(inner));
	}
	if (!leat_chan_reason(st->in[0].c))
		leat__stage_reason(st, why);
	leat_error_free(why);
}

leat_chan *leat_pipe_bridge(leat_pipe_opts at, leat_chan *in, size_t elem_bytes)
{
	return leat__stage_plain(
	    &at,
	    &(struct leat__shape){
	        .kind = "bridge", .run = leat__run_bridge, .workers = 1, .bridges = true},
	    in, sizeof(leat_chan *), (ptrdiff_t)elem_bytes);
}
