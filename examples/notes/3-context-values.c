/* SPDX-License-Identifier: MIT */
/*
 * A context also carries what belongs to one request from where it came in to where it is needed, past everything in
 * between.  The key is private to this module, and others get at the value by a function that has a type.
 */
#include <leat.h>

#include <stdio.h>

struct request {
	int id;
	const char *user;
};

static LEAT_CTX_KEY(request_key, const struct request);

static const struct request *request_of(leat_ctx *ctx)
{
	return ctx_value(ctx, request_key);
}

static void authorize(leat_ctx *ctx)
{
	const struct request *r = request_of(ctx);

	printf("request %d: %s may come in\n", r->id, r->user);
}

static void handle(leat_ctx *ctx)
{
	authorize(ctx);
	printf("request %d: done\n", request_of(ctx)->id);
}

int main(void)
{
	const struct request ada = {1, "Ada"}, ben = {2, "Ben"};
	scope(s, NULL);

	handle(ctx_with_value(s, request_key, &ada));
	handle(ctx_with_value(s, request_key, &ben));
}
