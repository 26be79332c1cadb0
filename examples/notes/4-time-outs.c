/* SPDX-License-Identifier: MIT */
/*
 * Why things time out: so that the system does not fill up, so that nobody gets an answer that is stale by then, and so
 * that a deadlock does not last.  Why they are cancelled: for a time-out, because the user wants it, because whoever asked
 * is cancelled, or because somebody else was faster.  One who waits sees the same in all cases, and the reason if asked.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

static LEAT_ERROR(too_late, -ETIMEDOUT, "the answer would be stale");
static LEAT_ERROR(user_left, -ECANCELED, "the user went away");

/* Asks somebody who never answers. */
static void ask(const char *what, leat_ctx *ctx)
{
	chan(int) answers = NULL;
	int answer;

	if (chan_recv_ctx(answers, &answer, ctx))
		printf("%s: %s\n", what, leat_error_message(leat_ctx_cause(ctx)));
	leat_ctx_free(ctx);
}

struct leave {
	leat_ctx *ctx;
};

static void leave(struct leave *a)
{
	leat_ctx_cancel_cause(a->ctx, &user_left);
}

int main(void)
{
	scope(s, NULL);
	leat_ctx *user = leat_ctx_with_cancel(s);

	ask("time-out", leat_ctx_with_timeout_cause(s, 10 * LEAT_MILLISECOND, &too_late));
	scope_go(s, leave, .ctx = user);
	ask("parent", leat_ctx_with_cancel(user));
	ask("user", user);
}
