/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: where memory runs out for replicated requests, at whichever allocation, that is an error, or a replica less,
 * and nothing leaks.
 * Method: each operation with its 1st, 2nd, ... allocation failing.
 */
#include "test.h"

#include "oom.h"

static const leat_error *answer(leat_scope *s, size_t i, int *arg, int **result)
{
	(void)s;
	*result = arg;
	return i == 2 ? NULL : &leat_deadline_exceeded;
}

static int ask(void *arg)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	int *got = NULL;
	const leat_error *e;

	defer(leat_ctx_free, ctx);
	e = replicate(3, answer, (int *)arg, &got, ctx);
	if (!e) {
		CHECK(got == arg);
		return OOM_COPED;
	}
	CHECK(leat_error_is(e, &leat_out_of_memory) || leat_error_is(e, &leat_deadline_exceeded));
	leat_error_free(e);
	return -ENOMEM;
}

static int ask_hedged(void *arg)
{
	int *got = NULL;
	const leat_error *e = replicate(3, answer, (int *)arg, &got, NULL, .hedge_ns = LEAT_HOUR);

	if (!e)
		return OOM_COPED;
	leat_error_free(e);
	return -ENOMEM;
}

TEST(replicated_requests)
{
	int arg;

	oom_skip();
	CHECK(oom_each(ask, &arg) >= 4);
	CHECK(oom_each(ask_hedged, &arg) >= 4);
}

TEST_MAIN
