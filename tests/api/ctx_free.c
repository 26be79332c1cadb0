/* SPDX-License-Identifier: MIT */
/*
 * Goal: who frees contexts and when: by hand children first, by the scope that they were made below, and never
 * what is still needed.  Under ASan nothing may be left.
 */
#include "ctx_help.h"

#include <pthread.h>
#include <stdatomic.h>

static LEAT_CTX_KEY(number, int);
static const leat_ctx_ops wrapper = {.name = "wrapper"};

enum { KINDS = 6 };

static leat_ctx *make(int kind, leat_any_ctx parent)
{
	switch (kind % KINDS) {
	case 0:
		return leat_ctx_with_cancel(parent);
	case 1:
		return leat_ctx_with_timeout(parent, LEAT_HOUR);
	case 2:
		return leat_ctx_with_value(parent, &number, NULL);
	case 3:
		return leat_ctx_without_cancel(parent);
	case 4:
		return leat_ctx_custom(parent, &wrapper, NULL);
	default:
		return leat_ctx_with_timeout(parent, -1);
	}
}

static void free_ctx(void *arg)
{
	leat_ctx_free(arg);
}

/* Whatever was made from it keeps a context alive, and it goes on as before. */
TEST(not_while_contexts_below_it_live)
{
	for (int i = 0; i < KINDS * KINDS; i++) {
		leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
		leat_ctx *parent = make(i / KINDS, top);
		leat_ctx *child = make(i % KINDS, parent), *other = make(i % KINDS, parent);
		int err = leat_ctx_err(parent);

		CHECK(test_panics(free_ctx, parent, "ctx_free: contexts below it live on"));
		leat_ctx_free(child);
		CHECK(test_panics(free_ctx, parent, "ctx_free: contexts below it live on"));
		CHECK_EQ(leat_ctx_err(parent), err);
		CHECK_EQ(leat_ctx_err(top), 0);
		leat_ctx_free(other);
		leat_ctx_free(parent);
		{
			scope(s, top);
			CHECK(test_panics(free_ctx, top, "ctx_free: contexts below it live on"));
			CHECK_EQ(scope_err(s), 0);
		}
		leat_ctx_free(top);
	}
}

TEST(a_root_and_a_scope_are_not_freed_by_hand)
{
	scope(s, NULL);

	leat_ctx_free(NULL);
	ctx_free(NULL);
	CHECK(test_panics(free_ctx, leat_ctx_background(), "ctx_free: it is a root"));
	CHECK(test_panics(free_ctx, leat_ctx_todo(), "ctx_free: it is a root"));
	CHECK(test_panics(free_ctx, (void *)s, "ctx_free: it is a scope"));
	CHECK_EQ(scope_err(s), 0);
}

static void cancel(void *arg)
{
	leat_ctx_cancel((leat_ctx *)arg);
}

TEST(what_cannot_be_cancelled)
{
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *all[] = {make(2, top), make(3, top), make(4, top)};

	for (int i = 0; i < 3; i++) {
		CHECK(test_panics(cancel, all[i], "context: cannot be cancelled"));
		leat_ctx_free(all[i]);
	}
	CHECK(test_panics(cancel, leat_ctx_background(), "context: cannot be cancelled"));
	CHECK(test_panics(cancel, leat_ctx_todo(), "context: cannot be cancelled"));
	CHECK(test_panics(cancel, NULL, "context: cannot be cancelled"));
	CHECK_EQ(leat_ctx_err(top), 0);
	leat_ctx_free(top);
}

static void deferred(leat_ctx **where)
{
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
	defer(leat_ctx_free, ctx);
	leat_ctx *below = leat_ctx_with_cancel(ctx);
	defer(leat_ctx_free, below);

	*where = below;
	if (leat_ctx_done(below))
		leat_panic("out of here");
}

static void run_deferred(void *arg)
{
	deferred(arg);
}

TEST(a_deferred_free_stands_for_a_deferred_cancel)
{
	leat_ctx *ctx;

	CHECK(test_panics(run_deferred, &ctx, "out of here"));
}

TEST(every_kind_gives_its_memory_back)
{
	int n = test_count(50000);
	size_t before = 0;

	for (int i = 0; i < n; i++) {
		leat_ctx *a = make(i, leat_ctx_background()), *b = make(i / KINDS, a);

		if (i % 2)
			leat_ctx_done(b);
		leat_ctx_free(b);
		leat_ctx_free(a);
		if (i == n / 2)
			before = test_heap_in_use();
	}
	CHECK(heap_is_back(before));
}

/* --- with a scope */

TEST(what_was_made_below_a_scope_goes_with_it)
{
	int n = test_count(20000);
	size_t before = 0;

	for (int i = 0; i < n; i++) {
		scope(s, NULL);
		leat_ctx *a = make(i, s), *b = make(i / KINDS, a), *c = make(i / 7, b);

		leat_ctx_done(c);
		CHECK(leat_ctx_value(c, &number) == NULL);
		if (i % 3 == 0)
			leat_ctx_free(c);
		if (i % 6 == 0)
			leat_ctx_free(b);
		if (i == n / 2)
			before = test_heap_in_use();
	}
	CHECK(heap_is_back(before + 4096));
}

/* In any order, from the middle of the list too. */
TEST(what_was_made_below_a_scope_may_be_freed_by_hand)
{
	for (int round = 0; round < 50; round++) {
		leat_ctx *all[20];
		scope(s, NULL);

		for (int i = 0; i < 20; i++)
			all[i] = make(i + round, s);
		for (int i = 0; i < round % 20; i++)
			leat_ctx_free(all[(i * 7 + round) % 20]);
	}
}

static void panic_below(void *arg)
{
	scope(s, (leat_ctx *)arg);
	leat_ctx *ctx = leat_ctx_with_timeout(s, LEAT_HOUR);
	leat_ctx *leaf = leat_ctx_with_value(ctx, &number, arg);

	leat_ctx_done(leaf);
	leat_panic("below");
}

TEST(a_panic_through_a_scope_frees_them_too)
{
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());

	CHECK(test_panics(panic_below, top, "below"));
	leat_ctx_free(top);
}

/* Scopes and contexts in turns; each scope frees its own, and no more. */
TEST(scopes_below_contexts_below_scopes)
{
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());

	{
		scope(s, top);
		leat_ctx *a = leat_ctx_with_cancel(s);
		leat_ctx *kept;

		{
			scope(t, a);
			leat_ctx *b = leat_ctx_with_cancel(t);

			kept = leat_ctx_with_cancel(a);
			leat_ctx_cancel(a);
			CHECK(is_done(b) && is_done(t) && is_done(kept));
			CHECK(!is_done(s) && !is_done(top));
		}
		CHECK(is_done(kept));
		CHECK_FORM(kept, "context.Background.WithCancel.scope.WithCancel.WithCancel");
	}
	CHECK(!is_done(top));
	leat_ctx_free(top);
}

struct member {
	leat_scope *s;
	int n;
};

static void member(struct member *a)
{
	for (int i = 0; i < 20; i++) {
		leat_ctx *ctx = make(a->n + i, a->s), *below = make(i, ctx);

		if (i % 3 == 0)
			leat_yield();
		if (i % 2 == 0) {
			leat_ctx_free(below);
			leat_ctx_free(ctx);
		}
	}
}

/* Its goroutines make and free them at once, and it is cancelled meanwhile. */
TEST(goroutines_of_a_scope_make_and_free_contexts)
{
	int rounds = test_count(1000);

	for (int round = 0; round < rounds; round++) {
		scope(s, NULL);

		for (int i = 0; i < 8; i++)
			scope_go(s, member, s, i);
		leat_yield();
		if (round % 2)
			scope_cancel(s);
		if (round % 3)
			scope_wait(s);
	}
	test_goroutines(1);
}

struct worker {
	leat_ctx *ctx;
	atomic_int *ended;
};

static void worker(struct worker *a)
{
	chan_recv(leat_ctx_done(a->ctx));
	atomic_fetch_add(a->ended, 1);
}

/* The scope cancels them before it waits for goroutines that wait for them. */
TEST(leaving_a_scope_ends_waits_for_what_is_below)
{
	atomic_int ended = 0;

	{
		scope(s, NULL);
		leat_ctx *ctx = leat_ctx_with_timeout(s, LEAT_HOUR);

		for (int i = 0; i < 5; i++)
			scope_go(s, worker, leat_ctx_with_value(ctx, &number, NULL), &ended);
		test_parked(5);
	}
	CHECK_EQ(ended, 5);
}

static void *use_and_free(void *arg)
{
	leat_ctx *ctx = leat_ctx_with_cancel((leat_ctx *)arg);
	leat_ctx *below = leat_ctx_with_timeout(ctx, LEAT_HOUR);

	chan_recv(leat_ctx_done(below));
	CHECK_EQ(leat_ctx_err(ctx), -ECANCELED);
	leat_ctx_free(below);
	leat_ctx_free(ctx);
	return NULL;
}

TEST(plain_threads_make_use_and_free_them)
{
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, use_and_free, top), 0);
	test_parked(4);
	leat_ctx_cancel(top);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	leat_ctx_free(top);
}

TEST_MAIN
