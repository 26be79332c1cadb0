/* SPDX-License-Identifier: MIT */
/* Sources: stages without an input.  Each looks at its scope by sending: see stage.h. */
#include "pipe/stage.h"

#include "sched/panic.h"

typedef bool leat__from_fn(void *out, void *args);
typedef void leat__repeat_fn(void *out, void *args);

/* --- an array: state is a pointer to it, n its length */

static void leat__run_array(struct leat__stage *st, void *in, void *out)
{
	const char *array = *(const char **)st->state;
	size_t elem_bytes = st->out[0].elem_bytes;

	(void)in;
	(void)out;
	for (int64_t i = 0; i < st->n; i++)
		if (!leat__stage_send(st, 0, array + (size_t)i * elem_bytes))
			return;
}

leat_chan *leat_pipe_from_array(leat_pipe_opts at, const void *array, size_t n, size_t elem_bytes)
{
	struct leat__stage *st = leat__stage_new(&at, &(struct leat__shape){.kind = "array",
	                                                                    .run = leat__run_array,
	                                                                    .state_bytes = sizeof array,
	                                                                    .outlets = 1,
	                                                                    .workers = 1});

	*(const void **)st->state = array;
	st->n = n > INT64_MAX ? INT64_MAX : (int64_t)n;
	leat__stage_give(st, 0, elem_bytes, at.cap);
	return leat__stage_start(st);
}

/* --- functions */

static void leat__run_from(struct leat__stage *st, void *in, void *out)
{
	leat__from_fn *fn = (leat__from_fn *)st->fn;

	(void)in;
	while (!leat__stage_over(st) && fn(out, st->args))
		if (!leat__stage_send(st, 0, out))
			return;
}

leat_chan *leat_pipe_from(leat_pipe_opts at, size_t elem_bytes, bool (*fn)(void *out, void *args),
                          const void *args, size_t args_bytes)
{
	return leat__stage_plain(&at,
	                         &(struct leat__shape){.kind = "from",
	                                               .run = leat__run_from,
	                                               .fn = (void (*)(void))fn,
	                                               .args = args,
	                                               .args_bytes = args_bytes},
	                         NULL, -1, (ptrdiff_t)elem_bytes);
}

static void leat__run_repeat_fn(struct leat__stage *st, void *in, void *out)
{
	leat__repeat_fn *fn = (leat__repeat_fn *)st->fn;

	(void)in;
	do {
		if (leat__stage_over(st))
			return;
		fn(out, st->args);
	} while (leat__stage_send(st, 0, out));
}

leat_chan *leat_pipe_repeat_fn(leat_pipe_opts at, size_t elem_bytes,
                               void (*fn)(void *out, void *args), const void *args,
                               size_t args_bytes)
{
	return leat__stage_plain(&at,
	                         &(struct leat__shape){.kind = "repeat",
	                                               .run = leat__run_repeat_fn,
	                                               .fn = (void (*)(void))fn,
	                                               .args = args,
	                                               .args_bytes = args_bytes},
	                         NULL, -1, (ptrdiff_t)elem_bytes);
}

/* --- values, which are the stage's args; n of them */

static void leat__run_repeat(struct leat__stage *st, void *in, void *out)
{
	size_t elem_bytes = st->out[0].elem_bytes;

	(void)in;
	(void)out;
	if (st->n == 0)
		return;
	for (int64_t i = 0; leat__stage_send(st, 0, (char *)st->args + (size_t)i * elem_bytes);)
		i = i + 1 < st->n ? i + 1 : 0;
}

leat_chan *leat_pipe_repeat(leat_pipe_opts at, const void *values, size_t n, size_t elem_bytes)
{
	struct leat__stage *st;
	size_t bytes;

	if (n > INT64_MAX || __builtin_mul_overflow(n, elem_bytes, &bytes))
		leat__panic_runtime("out of memory");
	st = leat__stage_new(&at, &(struct leat__shape){.kind = "repeat",
	                                                .run = leat__run_repeat,
	                                                .args = values,
	                                                .args_bytes = bytes,
	                                                .outlets = 1,
	                                                .workers = 1});
	st->n = (int64_t)n;
	leat__stage_give(st, 0, elem_bytes, at.cap);
	return leat__stage_start(st);
}
