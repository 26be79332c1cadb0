/* SPDX-License-Identifier: MIT */
/*
 * Contexts form a tree, and a call down the tree can only make it end earlier.  The greeting gives its request one
 * second, the look-up of the locale would take a minute, and sees so at once from the deadline.  That the greeting
 * failed cancels what they share, and the farewell, which would have waited, ends too.
 */
#include <leat.h>

#include <errno.h>
#include <stdio.h>

static int locale(leat_ctx *ctx, const char **name)
{
	int64_t deadline;

	if (leat_ctx_deadline(ctx, &deadline) && deadline - leat_now() < LEAT_MINUTE)
		return -ETIMEDOUT;
	*name = "en";
	return leat_sleep_ctx(LEAT_MINUTE, ctx);
}

static int print_message(leat_ctx *ctx, const char *message)
{
	const char *name;
	int err = locale(ctx, &name);

	if (err)
		printf("cannot print %s: %s\n", message, err == -ETIMEDOUT ? "too late" : "canceled");
	else
		printf("%s in %s\n", message, name);
	return err;
}

struct say {
	leat_ctx *shared;
	const char *message;
	int64_t patience;
};

static void say(struct say *a)
{
	leat_ctx *ctx = leat_ctx_with_timeout(a->shared, a->patience);

	defer(leat_ctx_free, ctx);
	if (print_message(ctx, a->message))
		leat_ctx_cancel(a->shared);
}

int main(void)
{
	scope(s, NULL);
	leat_ctx *shared = leat_ctx_with_cancel(s);

	scope_go(s, say, shared, "greeting", LEAT_SECOND);
	scope_go(s, say, shared, "farewell", LEAT_HOUR);
	scope_wait(s);
}
