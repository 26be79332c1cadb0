/* SPDX-License-Identifier: MIT */
/* Stages that take from several inlets in turn: zip, and the merge of sorted ones. */
#include "pipe/stage.h"

typedef void leat__zip_fn(const void *a, const void *b, void *out, void *args);
typedef int leat__compare_fn(const void *a, const void *b, void *args);

/* --- zip: the state is the second inlet's value */

static void leat__run_zip(struct leat__stage *st, void *in, void *out)
{
	leat__zip_fn *fn = (leat__zip_fn *)st->fn;

	while (leat__stage_recv(st, 0, in) && leat__stage_recv(st, 1, st->state)) {
		fn(in, st->state, out, st->args);
		if (!leat__stage_send(st, 0, out))
			return;
	}
}

leat_chan *leat_pipe_zip(leat_pipe_opts at, leat_chan *a, size_t a_bytes, leat_chan *b,
                         size_t b_bytes, size_t out_bytes,
                         void (*fn)(const void *a, const void *b, void *out, void *args),
                         const void *args, size_t args_bytes)
{
	struct leat__stage *st = leat__stage_new(&at, &(struct leat__shape){.kind = "zip",
	                                                                    .run = leat__run_zip,
	                                                                    .fn = (void (*)(void))fn,
	                                                                    .args = args,
	                                                                    .args_bytes = args_bytes,
	                                                                    .state_bytes = b_bytes,
	                                                                    .inlets = 2,
	                                                                    .outlets = 1,
	                                                                    .workers = 1});

	leat__stage_take(st, 0, a, a_bytes);
	leat__stage_take(st, 1, b, b_bytes);
	leat__stage_give(st, 0, out_bytes, at.cap);
	return leat__stage_start(st);
}

/* --- merge: a heap of the inlets that have not ended, by their next values, and by number where these are equal */

struct merge {
	char *values; /* one of each inlet */
	unsigned *heap, n;
};

static char *value_of(const struct leat__stage *st, unsigned inlet)
{
	const struct merge *mg = st->state;

	return mg->values + (size_t)inlet * st->in[0].elem_bytes;
}

static bool leat__before(const struct leat__stage *st, unsigned i, unsigned k)
{
	leat__compare_fn *fn = (leat__compare_fn *)st->fn;
	int order = fn(value_of(st, i), value_of(st, k), st->args);

	return order < 0 || (order == 0 && i < k);
}

/* What stands at that place moves down to where it belongs. */
static void leat__sink(const struct leat__stage *st, unsigned at)
{
	const struct merge *mg = st->state;
	unsigned moving, below;

	if (mg->n == 0)
		return;
	moving = mg->heap[at];
	for (; (below = 2 * at + 1) < mg->n; at = below) {
		if (below + 1 < mg->n && leat__before(st, mg->heap[below + 1], mg->heap[below]))
			below++;
		if (!leat__before(st, mg->heap[below], moving))
			break;
		mg->heap[at] = mg->heap[below];
	}
	mg->heap[at] = moving;
}

static void leat__run_merge(struct leat__stage *st, void *in, void *out)
{
	struct merge *mg = st->state;

	(void)in;
	(void)out;
	for (unsigned i = 0; i < st->inlets; i++)
		if (leat__stage_recv(st, i, value_of(st, i)))
			mg->heap[mg->n++] = i;
	for (unsigned at = mg->n / 2; at-- > 0;)
		leat__sink(st, at);
	while (mg->n && !leat__stage_over(st)) {
		unsigned first = mg->heap[0];

		if (!leat__stage_send(st, 0, value_of(st, first)))
			return;
		if (!leat__stage_recv(st, first, value_of(st, first)))
			mg->heap[0] = mg->heap[--mg->n];
		leat__sink(st, 0);
	}
}

leat_chan *leat_pipe_merge(leat_pipe_opts at, leat_chan *const *in, size_t n, size_t elem_bytes,
                           int (*fn)(const void *a, const void *b, void *args), const void *args,
                           size_t args_bytes)
{
	struct leat__stage *st;
	struct merge *mg;

	leat__stage_count(n);
	st = leat__stage_new(&at, &(struct leat__shape){.kind = "merge",
	                                                .run = leat__run_merge,
	                                                .fn = (void (*)(void))fn,
	                                                .args = args,
	                                                .args_bytes = args_bytes,
	                                                .state_bytes = sizeof *mg,
	                                                .inlets = (unsigned)n,
	                                                .outlets = 1,
	                                                .workers = 1});
	mg = st->state;
	mg->values = leat_scope_calloc(at.scope, n, elem_bytes);
	mg->heap = leat_scope_calloc(at.scope, n, sizeof *mg->heap);
	leat__stage_take_all(st, in, elem_bytes);
	leat__stage_give(st, 0, elem_bytes, at.cap);
	return leat__stage_start(st);
}
