/* SPDX-License-Identifier: MIT */
/* Goal: values of contexts: by the key's address, the nearest first, whatever lies between and for ever. */
#include "ctx_help.h"

#include <pthread.h>
#include <stdatomic.h>

struct user {
	int id;
};

static LEAT_CTX_KEY(user, struct user);
static LEAT_CTX_KEY(name, const char);
static LEAT_CTX_KEY(other, struct user);
static const leat_ctx_key same_name = {"user"};
LEAT_CTX_KEY_DECLARE(shared, int); /* as if in a header that the file itself includes */
LEAT_CTX_KEY(shared, int);

TEST(line_137_the_nearest_key_wins)
{
	struct user anna = {1}, ben = {2};
	leat_ctx *root = leat_ctx_background();
	leat_ctx *a = ctx_with_value(root, user, &anna);
	leat_ctx *b = ctx_with_value(a, name, "anna");
	leat_ctx *c = ctx_with_value(b, user, &ben);
	leat_ctx *d = ctx_with_value(c, user, NULL);
	const char *text = ctx_value(c, name);

	CHECK(ctx_value(a, user)->id == 1);
	CHECK(ctx_value(b, user) == &anna);
	CHECK(ctx_value(c, user) == &ben);
	CHECK_STR(text, "anna");
	CHECK(ctx_value(a, name) == NULL);
	CHECK(ctx_value(root, user) == NULL);
	CHECK(ctx_value(d, user) == NULL); /* the nearest has none */
	CHECK_STR(ctx_value(d, name), "anna");
	leat_ctx_free(d);
	leat_ctx_free(c);
	leat_ctx_free(b);
	leat_ctx_free(a);
}

TEST(line_137_a_key_is_its_address_not_its_name)
{
	struct user anna = {1};
	leat_ctx *ctx = ctx_with_value(leat_ctx_background(), user, &anna);

	CHECK(leat_ctx_value(ctx, &same_name) == NULL);
	CHECK(ctx_value(ctx, other) == NULL);
	CHECK(ctx_value(ctx, shared) == NULL);
	CHECK(ctx_value(ctx, user) == &anna);
	CHECK_FORM(ctx, "context.Background.WithValue(user)");
	leat_ctx_free(ctx);
}

TEST(line_137_a_key_without_a_name)
{
	static const leat_ctx_key nameless = {NULL};
	int n = 3;
	leat_ctx *ctx = leat_ctx_with_value(leat_ctx_background(), &nameless, &n);
	char text[100];

	CHECK(leat_ctx_value(ctx, &nameless) == &n);
	CHECK(leat_ctx_string(ctx, text, sizeof text) > strlen("context.Background.WithValue"));
	leat_ctx_free(ctx);
}

TEST(line_137_through_all_that_lies_between_and_after_the_cancel)
{
	static const leat_ctx_ops wrapper = {.name = "wrapper"};
	struct user anna = {1};
	leat_ctx *way[6];

	way[0] = ctx_with_value(leat_ctx_todo(), user, &anna);
	way[1] = leat_ctx_with_cancel(way[0]);
	way[2] = leat_ctx_with_timeout(way[1], LEAT_HOUR);
	way[3] = leat_ctx_custom(way[2], &wrapper, NULL);
	way[4] = leat_ctx_without_cancel(way[3]);
	way[5] = leat_ctx_with_cancel(way[4]);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 6; i++)
			CHECK(ctx_value(way[i], user) == &anna);
		{
			scope(s, way[5]);
			scope(t, s);
			CHECK(ctx_value(s, user) == &anna);
			CHECK(ctx_value(t, user) == &anna);
		}
		leat_ctx_cancel(way[1]);
		leat_ctx_cancel(way[5]);
	}
	for (int i = 6; i-- > 0;)
		leat_ctx_free(way[i]);
}

static void nil_key_with(void *arg)
{
	leat_ctx *ctx = leat_ctx_with_value(leat_ctx_background(), NULL, arg);

	CHECK(ctx == NULL);
}

static void nil_key_ask(void *arg)
{
	(void)leat_ctx_value((leat_ctx *)arg, NULL);
}

TEST(line_137_a_nil_key_panics)
{
	size_t before = test_heap_in_use();
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	CHECK(test_panics(nil_key_with, NULL, "nil key"));
	CHECK(test_panics(nil_key_ask, ctx, "nil key"));
	CHECK(test_panics(nil_key_ask, leat_ctx_background(), "nil key"));
	leat_ctx_free(ctx);
	CHECK(heap_is_back(before));
}

#define NIL_PARENT(name, call)                                                                     \
	static void name(void *arg)                                                                    \
	{                                                                                              \
		leat_ctx *none = NULL, *ctx = call;                                                        \
		CHECK(ctx == arg);                                                                         \
	}
NIL_PARENT(nil_cancel, leat_ctx_with_cancel(none))
NIL_PARENT(nil_deadline, leat_ctx_with_deadline(none, 5))
NIL_PARENT(nil_timeout, leat_ctx_with_timeout(none, LEAT_HOUR))
NIL_PARENT(nil_deadline_cause, leat_ctx_with_deadline_cause(none, 5, &leat_canceled))
NIL_PARENT(nil_timeout_cause, leat_ctx_with_timeout_cause(none, 0, NULL))
NIL_PARENT(nil_without, leat_ctx_without_cancel(none))
NIL_PARENT(nil_value, leat_ctx_with_value(none, &same_name, NULL))
NIL_PARENT(nil_value_key, leat_ctx_with_value(none, NULL, NULL))
NIL_PARENT(nil_custom, leat_ctx_custom(none, &(const leat_ctx_ops){.name = "x"}, NULL))

TEST(line_137_a_nil_parent_panics)
{
	void (*all[])(void *) = {nil_cancel,         nil_deadline,      nil_timeout,
	                         nil_deadline_cause, nil_timeout_cause, nil_without,
	                         nil_value,          nil_value_key,     nil_custom};
	size_t before = test_heap_in_use();

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		CHECK(test_panics(all[i], NULL, "cannot create context from nil parent"));
	CHECK(heap_is_back(before));
}

/* A value is found at any depth, by whoever asks. */
static void *ask(void *arg)
{
	leat_ctx *ctx = arg;

	for (int i = 0; i < 1000; i++)
		CHECK(ctx_value(ctx, user)->id == 5 && ctx_value(ctx, name) == NULL);
	return NULL;
}

struct asker {
	leat_ctx *ctx;
	leat_waitgroup *done;
};

static void asker(struct asker *a)
{
	ask(a->ctx);
	leat_waitgroup_done(a->done);
}

TEST(line_137_asked_by_many_at_once_during_a_cancel)
{
	struct user eve = {5};
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *way[11];
	leat_waitgroup done = {0};
	pthread_t thread;

	way[0] = ctx_with_value(top, user, &eve);
	for (int i = 1; i < 11; i++)
		way[i] = i % 2 ? leat_ctx_with_cancel(way[i - 1])
		               : leat_ctx_with_value(way[i - 1], &same_name, NULL);
	leat_waitgroup_add(&done, 6);
	for (int i = 0; i < 6; i++)
		go(asker, way[10 - i], &done);
	CHECK_EQ(pthread_create(&thread, NULL, ask, way[10]), 0);
	leat_yield();
	leat_ctx_cancel(top);
	leat_waitgroup_wait(&done);
	pthread_join(thread, NULL);
	for (int i = 11; i-- > 0;)
		leat_ctx_free(way[i]);
	leat_ctx_free(top);
}

TEST_MAIN
