/* SPDX-License-Identifier: MIT */
/* Sinks: where a pipeline ends. */
#include "pipe/stage.h"

#include "sched/panic.h"

#include <stdlib.h>
#include <string.h>

typedef void leat__each_fn(const void *in, void *args);

static void leat__run_each(struct leat__stage *st, void *in, void *out)
{
	leat__each_fn *fn = (leat__each_fn *)st->fn;

	(void)out;
	while (leat__stage_recv(st, 0, in))
		fn(in, st->args);
}

void leat_pipe_each(leat_pipe_opts at, leat_chan *in, size_t in_bytes,
                    void (*fn)(const void *in, void *args), const void *args, size_t args_bytes)
{
	leat__stage_plain(&at,
	                  &(struct leat__shape){.kind = "each",
	                                        .run = leat__run_each,
	                                        .fn = (void (*)(void))fn,
	                                        .args = args,
	                                        .args_bytes = args_bytes},
	                  in, (ptrdiff_t)in_bytes, -1);
}

/* An array that grows, in the scope's memory: what it leaves behind there is as much again, at most. */
void *leat_pipe_collect(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t *n)
{
	size_t room = 16, count = 0;
	char *array, *larger;

	if (!at.scope)
		leat__panic_runtime("pipe of nil scope");
	array = leat_scope_calloc(at.scope, room, in_bytes);
	while (leat_chan_recv_ctx(in, array + count * in_bytes, (leat_any_ctx)at.scope) == 0) {
		count++;
		if (count < room)
			continue;
		room *= 2;
		larger = leat_scope_calloc(at.scope, room, in_bytes);
		memcpy(larger, array, count * in_bytes);
		array = larger;
	}
	*n = count;
	return array;
}
