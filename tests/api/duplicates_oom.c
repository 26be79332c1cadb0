/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,2 nosan nomigrate */
/*
 * Goal: where memory runs out for memories of duplicates and for permissions, at whichever allocation, that is a clean
 * panic, and nothing leaks.
 * Method: each operation with its 1st, 2nd, ... allocation failing.
 */
#include "test.h"

#include "oom.h"

static void let_go(int **result)
{
	free(*result);
}

static int remember(void *arg)
{
	leat_duplicates *d = leat_duplicates_make(100, 0);

	(void)arg;
	defer(leat_duplicates_free, d);
	for (uint64_t i = 0; i < 300; i++)
		CHECK(leat_duplicates_first(d, i));
	return 0;
}

static int keep_last(void *arg)
{
	duplicates(int *) d = duplicates_make(int *, 10, 0, 0, let_go);
	leat_ctx *ctx;
	uint64_t id;
	int *p = NULL;

	(void)arg;
	defer(leat_duplicates_free, (leat_duplicates *)(void *)d);
	CHECK_EQ(duplicates_put(d, 1, NULL), 0);
	p = malloc(4);
	if (!p)
		return -ENOMEM;
	CHECK_EQ(duplicates_put(d, 2, p), 0);
	ctx = leat_ctx_with_cancel(leat_ctx_background());
	defer(leat_ctx_free, ctx);
	CHECK_EQ(duplicates_next(d, &id, &p, ctx), 0);
	CHECK_EQ(id, 1);
	return 0;
}

static int permit(void *arg)
{
	leat_permission *p = leat_permission_make();

	(void)arg;
	defer(leat_permission_free, p);
	CHECK_EQ(leat_permission_attempt(p), 1);
	leat_permission_end(p);
	CHECK_EQ(leat_permission_ask(p, 1, NULL), -EPIPE);
	return 0;
}

/* A custom context, whose watcher finds no memory: the question is withdrawn. */
static int asked;
static leat_permission *permission;

static recv_chan(leat_empty) its_done(void *self)
{
	return chan_receiver((chan(leat_empty))self);
}

/* Not yet, as the call and then its wait begin; then its watcher finds the channel closed. */
static int its_err(void *self)
{
	(void)self;
	return __atomic_add_fetch(&asked, 1, __ATOMIC_RELAXED) <= 3 ? 0 : -ECANCELED;
}

static const leat_ctx_ops ops = {.name = "mine", .done = its_done, .err = its_err};

static int ask(void *ctx)
{
	int err;

	__atomic_store_n(&asked, 0, __ATOMIC_RELAXED);
	CHECK_EQ(chan_len(leat_permission_asks(permission)), 0);
	err = leat_permission_ask(permission, 1, (leat_ctx *)ctx);
	CHECK_EQ(err, -ECANCELED);
	return 0;
}

TEST(memories_of_duplicates)
{
	oom_skip();
	CHECK_EQ(oom_each(remember, NULL), 4);
	CHECK(oom_each(keep_last, NULL) >= 6);
}

TEST(permissions)
{
	chan(leat_empty) closed = chan_make(leat_empty, 0);
	leat_ctx *ends = leat_ctx_custom(leat_ctx_background(), &ops, (void *)closed);

	oom_skip();
	CHECK_EQ(oom_each(permit, NULL), 2);
	permission = leat_permission_make();
	CHECK_EQ(leat_permission_attempt(permission), 1);
	chan_close(closed);
	CHECK(oom_each(ask, ends) >= 1);
	CHECK_EQ(chan_len(leat_permission_asks(permission)), 0);
	leat_permission_free(permission);
	leat_ctx_free(ends);
	chan_free(closed);
}

TEST_MAIN
