/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate */
/*
 * Goal: contexts and scopes without memory: whatever allocation fails, the call panics, and all is as before.
 * Method: oom.h fails them one after the other.
 */
#include "test.h"

#include "oom.h"

#include <stdatomic.h>

static const leat_ctx_key key = {"k"};

TEST(memory_can_be_made_to_fail)
{
	void *volatile p;

	oom_skip();
	oom_arm(2);
	p = malloc(1);
	CHECK(p != NULL);
	free(p);
	p = malloc(1);
	CHECK(oom_disarm() && !p);
}

static int cancel(void *parent)
{
	leat_ctx_free(leat_ctx_with_cancel((leat_ctx *)parent));
	return 0;
}

static int timeout(void *parent)
{
	leat_ctx_free(leat_ctx_with_timeout((leat_ctx *)parent, LEAT_HOUR));
	return 0;
}

static int timeout_past(void *parent)
{
	leat_ctx_free(leat_ctx_with_timeout((leat_ctx *)parent, -1));
	return 0;
}

static int value(void *parent)
{
	leat_ctx_free(leat_ctx_with_value((leat_ctx *)parent, &key, NULL));
	return 0;
}

static int without(void *parent)
{
	leat_ctx_free(leat_ctx_without_cancel((leat_ctx *)parent));
	return 0;
}

static const leat_ctx_ops wrapper = {.name = "wrapper"};

static int custom(void *parent)
{
	leat_ctx_free(leat_ctx_custom((leat_ctx *)parent, &wrapper, NULL));
	return 0;
}

/* The parent is as before, too: it can be freed, so nothing below it is left. */
static void each_kind_below(leat_ctx *parent)
{
	CHECK_EQ(oom_each(cancel, parent), 1);
	CHECK_EQ(oom_each(timeout, parent), 2);
	CHECK_EQ(oom_each(timeout_past, parent), 1);
	CHECK_EQ(oom_each(value, parent), 1);
	CHECK_EQ(oom_each(without, parent), 1);
	CHECK_EQ(oom_each(custom, parent), 2);
	CHECK_EQ(leat_ctx_err(parent), 0);
}

TEST(making_a_context)
{
	leat_ctx *parent;

	each_kind_below(leat_ctx_background());
	parent = leat_ctx_with_timeout(leat_ctx_background(), 2 * LEAT_HOUR);
	each_kind_below(parent);
	leat_ctx_free(parent);
}

TEST(making_one_below_a_scope)
{
	scope(s, NULL);

	each_kind_below(&s->leat__ctx);
}

static int done(void *parent)
{
	leat_ctx *ctx = leat_ctx_with_cancel((leat_ctx *)parent);
	defer(leat_ctx_free, ctx);

	CHECK(leat_ctx_done(ctx) == leat_ctx_done(ctx));
	CHECK_EQ(leat_ctx_err(ctx), 0);
	leat_ctx_cancel(ctx);
	CHECK(chan_try_recv(leat_ctx_done(ctx), NULL, NULL));
	return 0;
}

TEST(the_done_channel)
{
	CHECK_EQ(oom_each(done, leat_ctx_background()), 2);
}

struct two {
	leat_ctx *ctx;
	atomic_int ran;
};

static void ran(void *arg)
{
	atomic_fetch_add(&((struct two *)arg)->ran, 1);
}

/* Many, so that descriptors must be mapped for them; none fails once it is there. */
static int after(void *arg)
{
	static leat_ctx_after all[3000];
	struct two *t = arg;
	int n = 0;
	leat_ctx *ctx = leat_ctx_with_cancel(t->ctx);
	defer(leat_ctx_free, ctx);

	for (; n < 3000; n++)
		leat_ctx_after_func(ctx, &all[n], ran, t);
	for (; n > 0; n--)
		CHECK(leat_ctx_after_stop(&all[n - 1]));
	return 0;
}

TEST(functions_when_done)
{
	struct two t = {leat_ctx_background(), 0};

	oom_maps = true;
	CHECK(oom_each(after, &t) >= 1);
	oom_maps = false;
}

/* --- custom contexts, which have a watcher */

static recv_chan(leat_empty) its_done(void *self)
{
	return chan_receiver((chan(leat_empty))self);
}

static int its_err(void *self)
{
	(void)self;
	return 0;
}

static const leat_ctx_ops with_done = {.name = "mine", .done = its_done, .err = its_err};

static int scope_below(void *parent)
{
	scope(s, (leat_ctx *)parent);

	CHECK_EQ(scope_err(s), 0);
	return 0;
}

TEST(below_a_custom_context)
{
	chan(leat_empty) c = chan_make(leat_empty, 0);
	leat_ctx *mine = leat_ctx_custom(leat_ctx_background(), &with_done, (void *)c);
	leat_ctx *value_of = leat_ctx_with_value(mine, &key, NULL);

	CHECK_EQ(oom_each(cancel, mine), 4);
	CHECK_EQ(oom_each(timeout, value_of), 5);
	CHECK_EQ(oom_each(value, mine), 1);
	CHECK_EQ(oom_each(scope_below, value_of), 3);
	leat_ctx_free(value_of);
	leat_ctx_free(mine);
	chan_free(c);
}

/* --- scopes */

/* Nothing is left in the scope that outlives the call, so each try has one of its own. */
static int in_scope(void *arg)
{
	scope(s, (leat_scope *)arg);
	chan(int) c = scope_chan(s, int, 3);
	char *p = scope_alloc(s, char, 100), *large = scope_alloc(s, char, 100000);

	CHECK(p[99] == 0 && large[99999] == 0 && chan_cap(c) == 3);
	scope_timeout(s, 2 * LEAT_HOUR);
	scope_timeout(s, LEAT_HOUR);
	CHECK(!chan_try_recv(scope_done(s), NULL, NULL));
	return 0;
}

TEST(what_a_scope_owns)
{
	scope(s, NULL);

	CHECK_EQ(oom_each(in_scope, NULL), 6);
	CHECK_EQ(oom_each(in_scope, s), 6);
}

/* A deadline that there is stays when there is no memory for an earlier one. */
static int shorten(void *arg)
{
	int64_t at = 0;
	leat_scope *s = arg;

	scope_timeout(s, LEAT_MINUTE);
	CHECK(leat_ctx_deadline(s, &at));
	CHECK(at <= leat_now() + LEAT_MINUTE);
	return 0;
}

static void shorten_once(void *arg)
{
	shorten(arg);
}

TEST(a_deadline_is_not_lost)
{
	scope(s, NULL);
	int64_t before = leat_now() + LEAT_HOUR, at = 0;
	bool panicked, hit;

	scope_deadline(s, before);
	oom_arm(1);
	panicked = leat_catch(shorten_once, s, NULL);
	hit = oom_disarm();
	CHECK(hit && panicked);
	CHECK(leat_ctx_deadline(s, &at));
	CHECK_EQ(at, before);
	CHECK_EQ(shorten(s), 0);
	CHECK_EQ(scope_err(s), 0);
}

TEST_MAIN
