/* SPDX-License-Identifier: MIT */
/* Stages that do something to each value, or to some: map, filter, take, take_while. */
#include "pipe/stage.h"

typedef void leat__map_fn(const void *in, void *out, void *args);
typedef bool leat__test_fn(const void *in, void *args);

static void leat__run_map(struct leat__stage *st, void *in, void *out)
{
	leat__map_fn *fn = (leat__map_fn *)st->fn;

	while (leat__stage_recv(st, 0, in)) {
		fn(in, out, st->args);
		if (!leat__stage_send(st, 0, out))
			return;
	}
}

leat_chan *leat__pipe_map_from(void *created_at, const leat_pipe_opts *at, leat_chan *in,
                               size_t in_bytes, size_t out_bytes,
                               void (*fn)(const void *in, void *out, void *args), const void *args,
                               size_t args_bytes)
{
	return leat__stage_plain_from(created_at, at,
	                              &(struct leat__shape){.kind = "map",
	                                                    .run = leat__run_map,
	                                                    .fn = (void (*)(void))fn,
	                                                    .args = args,
	                                                    .args_bytes = args_bytes},
	                              in, (ptrdiff_t)in_bytes, (ptrdiff_t)out_bytes);
}

leat_chan *leat_pipe_map(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t out_bytes,
                         void (*fn)(const void *in, void *out, void *args), const void *args,
                         size_t args_bytes)
{
	return leat__pipe_map_from(__builtin_return_address(0), &at, in, in_bytes, out_bytes, fn, args,
	                           args_bytes);
}

static void leat__run_filter(struct leat__stage *st, void *in, void *out)
{
	leat__test_fn *fn = (leat__test_fn *)st->fn;

	(void)out;
	while (leat__stage_recv(st, 0, in))
		if (fn(in, st->args) && !leat__stage_send(st, 0, in))
			return;
}

leat_chan *leat_pipe_filter(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                            bool (*fn)(const void *in, void *args), const void *args,
                            size_t args_bytes)
{
	return leat__stage_plain(&at,
	                         &(struct leat__shape){.kind = "filter",
	                                               .run = leat__run_filter,
	                                               .fn = (void (*)(void))fn,
	                                               .args = args,
	                                               .args_bytes = args_bytes},
	                         in, (ptrdiff_t)in_bytes, (ptrdiff_t)in_bytes);
}

static void leat__run_take_while(struct leat__stage *st, void *in, void *out)
{
	leat__test_fn *fn = (leat__test_fn *)st->fn;

	(void)out;
	while (leat__stage_recv(st, 0, in)) {
		if (!fn(in, st->args)) {
			st->complete = true;
			return;
		}
		if (!leat__stage_send(st, 0, in))
			return;
	}
}

leat_chan *leat_pipe_take_while(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                                bool (*fn)(const void *in, void *args), const void *args,
                                size_t args_bytes)
{
	return leat__stage_plain(&at,
	                         &(struct leat__shape){.kind = "take_while",
	                                               .run = leat__run_take_while,
	                                               .fn = (void (*)(void))fn,
	                                               .args = args,
	                                               .args_bytes = args_bytes,
	                                               .workers = 1},
	                         in, (ptrdiff_t)in_bytes, (ptrdiff_t)in_bytes);
}

static void leat__run_take(struct leat__stage *st, void *in, void *out)
{
	(void)out;
	for (int64_t i = 0; i < st->n; i++)
		if (!leat__stage_recv(st, 0, in) || !leat__stage_send(st, 0, in))
			return;
	st->complete = true;
}

leat_chan *leat_pipe_take(leat_pipe_opts at, leat_chan *in, size_t in_bytes, int64_t n)
{
	struct leat__stage *st = leat__stage_new(
	    &at, &(struct leat__shape){
	             .kind = "take", .run = leat__run_take, .inlets = 1, .outlets = 1, .workers = 1});

	st->n = n;
	leat__stage_take(st, 0, in, in_bytes);
	leat__stage_give(st, 0, in_bytes, at.cap);
	return leat__stage_start(st);
}
