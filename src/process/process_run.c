/* SPDX-License-Identifier: MIT */
/* Processes from beginning to end, what they leave, and the words for how they ended. */
#include "process/process_copy.h"
#include "process/signal.h"

#include <stdio.h>
#include <stdlib.h>

const leat_error *leat_process_run(const leat_command *c, leat_any_ctx ctx, leat_exit *exit)
{
	const leat_error *e = NULL;
	leat_process *p;

	if (exit)
		*exit = (leat_exit){0};
	p = leat_process_start(c, ctx, &e);
	if (p)
		e = leat_process_wait(p, (leat_any_ctx)(leat_ctx *)NULL, exit);
	leat_process_free(p);
	return e;
}

static const leat_error *leat__output(leat_command *c, leat_any_ctx ctx, leat_result *r)
{
	const leat_error *e = NULL;
	leat_process *p;

	*r = (leat_result){0};
	if (c->out.kind == LEAT_STDIO_NULL)
		c->out = (leat_stdio){.kind = LEAT_STDIO_CAPTURE};
	if (c->err.kind == LEAT_STDIO_NULL)
		c->err = (leat_stdio){.kind = LEAT_STDIO_CAPTURE};
	p = leat_process_start(c, ctx, &e);
	if (p) {
		e = leat_process_wait(p, (leat_any_ctx)(leat_ctx *)NULL, &r->exit);
		r->out = leat__process_take(p, 1, &r->out_bytes, &r->out_cut);
		r->err = leat__process_take(p, 2, &r->err_bytes, &r->err_cut);
	}
	leat_process_free(p);
	return e;
}

const leat_error *leat_process_output(const leat_command *c, leat_any_ctx ctx, leat_result *r)
{
	leat_command own = *c;

	return leat__output(&own, ctx, r);
}

const leat_error *leat_process_combined_output(const leat_command *c, leat_any_ctx ctx,
                                               leat_result *r)
{
	leat_command own = *c;

	own.err = (leat_stdio){.kind = LEAT_STDIO_OUT};
	return leat__output(&own, ctx, r);
}

void leat_result_free(leat_result *r)
{
	free(r->out);
	free(r->err);
	*r = (leat_result){0};
}

size_t leat_exit_string(const leat_exit *exit, char *text, size_t bytes)
{
	int n = exit->exited ? snprintf(text, bytes, "exit status %d", exit->code)
	                     : snprintf(text, bytes, "%s%s",
	                                exit->signal ? leat__signal_text(exit->signal) : "no exit",
	                                exit->core ? " (core dumped)" : "");

	return (size_t)n;
}
