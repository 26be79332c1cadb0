/* SPDX-License-Identifier: MIT */
/*
 * Fan-out and fan-in.
 *
 * Fan-in has a worker for each inlet: each waits on its own channel, and all queue, first come first served, on the
 * outlet, so that none starves and a value costs as much beside ten thousand silent inlets as beside one.  The last
 * worker to end closes the outlet, as in any stage.
 *
 * Rejected: one worker that selects over all inlets.  What a value costs grows with their number.
 */
#include "pipe/stage.h"

#include <string.h>

/* --- fan-out: stages of map */

/* NAME[i], in the scope's memory.  By hand: printf takes more stack than a small goroutine has. */
static const char *numbered(leat_scope *s, const char *name, size_t i)
{
	size_t length = strlen(name), digits = 1;
	char *numbered;

	for (size_t rest = i / 10; rest; rest /= 10)
		digits++;
	numbered = leat_scope_alloc(s, length + digits + 3);
	memcpy(numbered, name, length);
	numbered[length] = '[';
	for (size_t at = length + digits; at > length; at--, i /= 10)
		numbered[at] = (char)('0' + i % 10);
	memcpy(numbered + length + digits + 1, "]", 2);
	return numbered;
}

leat_chan **leat_pipe_fan_out(leat_pipe_opts at, leat_chan *in, size_t in_bytes, size_t n,
                              size_t out_bytes, void (*fn)(const void *in, void *out, void *args),
                              const void *args, size_t args_bytes)
{
	const char *name = at.name ? at.name : "map";
	leat__any_chan *out;

	leat__stage_count(n);
	leat__stage_check(&at);
	out = leat_scope_calloc(at.scope, n, sizeof *out);
	for (size_t i = 0; i < n; i++) {
		at.name = numbered(at.scope, name, i);
		out[i] = leat__pipe_map_from(__builtin_return_address(0), &at, in, in_bytes, out_bytes, fn,
		                             args, args_bytes);
	}
	return (leat_chan **)out;
}

/* --- fan-in: the state is the number of workers that have begun */

static void leat__run_fan_in(struct leat__stage *st, void *in, void *out)
{
	unsigned i = __atomic_fetch_add((unsigned *)st->state, 1, __ATOMIC_RELAXED);

	(void)out;
	while (leat__stage_recv(st, i, in) && leat__stage_send(st, 0, in))
		;
}

leat_chan *leat_pipe_fan_in(leat_pipe_opts at, leat_chan *const *in, size_t n, size_t elem_bytes)
{
	struct leat__stage *st;
	leat_chan *out;

	leat__stage_count(n);
	st = leat__stage_new(&at, &(struct leat__shape){.kind = "fan_in",
	                                                .run = leat__run_fan_in,
	                                                .state_bytes = sizeof(unsigned),
	                                                .inlets = (unsigned)n,
	                                                .outlets = 1,
	                                                .workers = n ? (int)n : 1});
	leat__stage_take_all(st, in, elem_bytes);
	out = leat__stage_give(st, 0, elem_bytes, at.cap);
	if (n == 0) {
		leat_chan_close(out);
		return out;
	}
	return leat__stage_start(st);
}
