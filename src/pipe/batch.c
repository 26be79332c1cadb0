/* SPDX-License-Identifier: MIT */
/*
 * Batches: several values as one, and back.
 *
 * A batch is a structure of the program's with an array and a count, which is copied like any value.  So nobody owns
 * memory that somebody else must give back; a batch of 64 ints is copied in the time of a few channel operations
 * less than the 64 that it saves.
 */
#include "pipe/stage.h"

#include "sched/panic.h"

#include <leat/pipe_flow.h>
#include <leat/select.h>
#include <leat/time.h>

#include <stdio.h>

struct batching {
	leat_pipe_batch_layout layout;
	int64_t wait_ns;
};

/* The instant until which a batch that begins now is waited for. */
static int64_t latest(int64_t wait_ns)
{
	int64_t at_ns;

	if (wait_ns == LEAT_FOREVER || __builtin_add_overflow(leat_now(), wait_ns, &at_ns))
		return INT64_MAX;
	return at_ns;
}

static void leat__run_batch(struct leat__stage *st, void *in, void *out)
{
	struct batching *b = st->state;
	size_t *count = (size_t *)(void *)((char *)out + b->layout.n_at), n;
	char *items = (char *)out + b->layout.items_at;
	size_t bytes = st->in[0].elem_bytes;
	int64_t until;

	(void)in;
	while (leat__stage_recv(st, 0, items)) {
		until = latest(b->wait_ns);
		for (n = 1; n < b->layout.room; n++)
			if (leat__stage_recv_by(st, 0, items + n * bytes, until) != LEAT__GOT)
				break;
		*count = n;
		if (leat__stage_over(st) || !leat__stage_send(st, 0, out))
			return;
	}
}

static ALWAYS_INLINE struct leat__stage *
batching(const leat_pipe_opts *at, struct leat__shape *shape, leat_chan *in, size_t in_bytes,
         const leat_pipe_batch_layout *layout, int64_t wait_ns)
{
	struct leat__stage *st;

	if (layout->room == 0)
		leat__panic_runtime("pipe: batches without room");
	shape->state_bytes = sizeof(struct batching);
	shape->inlets = shape->outlets = 1;
	st = leat__stage_new(at, shape);
	*(struct batching *)st->state = (struct batching){*layout, wait_ns};
	leat__stage_take(st, 0, in, in_bytes);
	return st;
}

leat_chan *leat_pipe_batch(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t out_bytes,
                           const leat_pipe_batch_layout *layout, int64_t wait_ns)
{
	struct leat__stage *st =
	    batching(&at, &(struct leat__shape){.kind = "batch", .run = leat__run_batch, .workers = 1},
	             in, in_bytes, layout, wait_ns);

	leat__stage_will_time(st);
	leat__stage_give(st, 0, out_bytes, at.cap);
	return leat__stage_start(st);
}

static void leat__run_unbatch(struct leat__stage *st, void *in, void *out)
{
	struct batching *b = st->state;
	const size_t *n = (const size_t *)(const void *)((char *)in + b->layout.n_at);
	const char *items = (char *)in + b->layout.items_at;
	char message[100];

	(void)out;
	while (leat__stage_recv(st, 0, in)) {
		if (*n > b->layout.room) {
			snprintf(message, sizeof message, "pipe: %zu values in a batch that has room for %zu",
			         *n, b->layout.room);
			leat__panic_runtime(message);
		}
		for (size_t i = 0; i < *n; i++)
			if (!leat__stage_send(st, 0, items + i * st->out[0].elem_bytes))
				return;
	}
}

leat_chan *leat_pipe_unbatch(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t out_bytes,
                             const leat_pipe_batch_layout *layout)
{
	struct leat__stage *st =
	    batching(&at, &(struct leat__shape){.kind = "unbatch", .run = leat__run_unbatch}, in,
	             in_bytes, layout, 0);

	leat__stage_give(st, 0, out_bytes, at.cap);
	return leat__stage_start(st);
}
