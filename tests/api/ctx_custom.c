/* SPDX-License-Identifier: MIT */
/*
 * Goal: a program's own contexts: what they answer is honoured, also below them, and they cost a goroutine only
 * where they have a done channel of their own and somebody depends on it.
 */
#include "ctx_help.h"

#include <pthread.h>
#include <stdatomic.h>

LEAT_ERROR(power_cut, -EIO, "power cut");

static LEAT_CTX_KEY(color, const char);
static LEAT_CTX_KEY(size, const char);

/* One that ends when somebody closes its channel. */
struct mine {
	chan(leat_empty) done;
	atomic_int err;
	const leat_error *cause;
	int64_t at;
};

static recv_chan(leat_empty) mine_done(void *self)
{
	return chan_receiver(((struct mine *)self)->done);
}

static int mine_err(void *self)
{
	return atomic_load(&((struct mine *)self)->err);
}

static const leat_error *mine_cause(void *self)
{
	return ((struct mine *)self)->cause;
}

static bool mine_deadline(void *self, int64_t *at_ns)
{
	struct mine *m = self;

	if (m->at)
		*at_ns = m->at;
	return m->at != 0;
}

static void *mine_value(void *self, const leat_ctx_key *key)
{
	(void)self;
	return key == &color ? (void *)(uintptr_t) "red" : NULL;
}

static const leat_ctx_ops plain = {.name = "plain"};
static const leat_ctx_ops with_done = {.name = "mine", .done = mine_done, .err = mine_err};
static const leat_ctx_ops with_all = {"all",      mine_done,     mine_err,
                                      mine_cause, mine_deadline, mine_value};
static const leat_ctx_ops without_done = {
    .name = "asked", .deadline = mine_deadline, .value = mine_value};

static void end(struct mine *m, int err)
{
	atomic_store(&m->err, err);
	chan_close(m->done);
}

TEST(line_139_a_done_of_its_own_reaches_what_is_below)
{
	struct mine m = {.done = chan_make(leat_empty, 0), .cause = &power_cut};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_all, &m);
	leat_ctx *child = leat_ctx_with_cancel(ctx);
	leat_ctx *value = ctx_with_value(ctx, size, "large");
	leat_ctx *below = leat_ctx_with_timeout(child, LEAT_HOUR);

	CHECK(!is_done(ctx) && !is_done(child) && !is_done(value) && !is_done(below));
	CHECK(leat_ctx_done(ctx) == chan_receiver(m.done));
	CHECK(leat_ctx_done(value) == chan_receiver(m.done));
	end(&m, -ECANCELED);
	CHECK(is_done(ctx) && is_done(value)); /* at once: they ask */
	CHECK(leat_ctx_cause(ctx) == &power_cut && leat_ctx_cause(value) == &power_cut);
	chan_recv(leat_ctx_done(below));
	CHECK(is_done(child) && is_done(below));
	CHECK_EQ(leat_ctx_err(below), -ECANCELED);
	CHECK(leat_ctx_cause(below) == &power_cut);
	leat_ctx_free(below);
	leat_ctx_free(value);
	leat_ctx_free(child);
	leat_ctx_free(ctx);
	test_goroutines(1);
	chan_free(m.done);
}

TEST(line_139_its_error_and_its_want_of_a_cause)
{
	struct mine m = {.done = chan_make(leat_empty, 0)};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_done, &m);
	leat_ctx *child = leat_ctx_with_cancel(ctx);

	end(&m, -ETIMEDOUT);
	chan_recv(leat_ctx_done(child));
	CHECK_EQ(leat_ctx_err(child), -ETIMEDOUT);
	CHECK(leat_ctx_cause(child) == &leat_deadline_exceeded);
	CHECK(leat_ctx_error(ctx) == &leat_deadline_exceeded);
	leat_ctx_free(child);
	leat_ctx_free(ctx);
	test_goroutines(1);
	chan_free(m.done);
}

TEST(line_129_line_139_a_child_of_one_that_is_done_is_done_on_return)
{
	struct mine m = {.done = chan_make(leat_empty, 0), .cause = &power_cut};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_all, &m), *child;

	CHECK(leat_ctx_cause(ctx) == NULL); /* not done, though there is a cause already */
	end(&m, -ECANCELED);
	child = leat_ctx_with_cancel(ctx);
	CHECK(is_done(child));
	CHECK(leat_ctx_cause(child) == &power_cut);
	leat_ctx_free(child);
	leat_ctx_free(ctx);
	test_goroutines(1);
	chan_free(m.done);
}

/* One goroutine, however many depend; none when the last has gone. */
TEST(line_139_a_goroutine_watches_while_others_depend)
{
	struct mine m = {.done = chan_make(leat_empty, 0)};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_done, &m);
	leat_ctx *children[10];
	leat_ctx_after after;
	atomic_int ran = 0;

	CHECK_EQ(leat_num_goroutine(), 1);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 10; i++)
			children[i] = leat_ctx_with_cancel(ctx);
		CHECK_EQ(leat_num_goroutine(), 2);
		for (int i = 0; i < 10; i++)
			leat_ctx_free(children[(i + round) % 10]);
		test_goroutines(1);
	}
	leat_ctx_after_func(ctx, &after, (void (*)(void *))abort, &ran);
	CHECK_EQ(leat_num_goroutine(), 2);
	CHECK(leat_ctx_after_stop(&after));
	test_goroutines(1);
	{
		scope(s, ctx);
		CHECK_EQ(leat_num_goroutine(), 2);
	}
	test_goroutines(1);
	leat_ctx_free(ctx);
	chan_free(m.done);
}

TEST(line_139_without_a_done_of_its_own_it_costs_none)
{
	struct mine m = {0};
	leat_ctx *top = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *ctx = leat_ctx_custom(top, &plain, NULL);
	leat_ctx *asked = leat_ctx_custom(ctx, &without_done, &m);
	leat_ctx *child = leat_ctx_with_cancel(asked);

	CHECK(leat_ctx_done(asked) == leat_ctx_done(top));
	CHECK_EQ(leat_num_goroutine(), 1);
	leat_ctx_cancel(top);
	CHECK(is_done(ctx) && is_done(asked) && is_done(child));
	CHECK_FORM(child, "context.Background.WithCancel.plain.asked.WithCancel");
	leat_ctx_free(child);
	leat_ctx_free(asked);
	leat_ctx_free(ctx);
	leat_ctx_free(top);
}

TEST(line_139_what_it_does_not_answer_the_parent_does)
{
	struct mine m = {.done = chan_make(leat_empty, 0)};
	int64_t at = leat_now() + LEAT_HOUR, got = 0;
	leat_ctx *value = ctx_with_value(leat_ctx_background(), color, "blue");
	leat_ctx *sized = ctx_with_value(value, size, "small");
	leat_ctx *top = leat_ctx_with_deadline(sized, at);
	leat_ctx *ctx = leat_ctx_custom(top, &with_done, &m);
	leat_ctx *asked = leat_ctx_custom(top, &without_done, &m);
	leat_ctx *below = leat_ctx_with_cancel(asked);

	CHECK_STR(ctx_value(ctx, color), "blue");
	CHECK_STR(ctx_value(below, color), "red");
	CHECK_STR(ctx_value(below, size), "small");
	CHECK(leat_ctx_deadline(ctx, &got));
	CHECK_EQ(got, at);
	got = 7;
	CHECK(!leat_ctx_deadline(below, &got)); /* it says that it has none */
	CHECK_EQ(got, 7);
	m.at = at + 5;
	CHECK(leat_ctx_deadline(below, &got));
	CHECK_EQ(got, at + 5);
	leat_ctx_cancel(top);
	CHECK(is_done(asked) && is_done(below));
	CHECK(!is_done(ctx)); /* has a done of its own */
	leat_ctx_free(below);
	leat_ctx_free(asked);
	leat_ctx_free(ctx);
	leat_ctx_free(top);
	leat_ctx_free(sized);
	leat_ctx_free(value);
	chan_free(m.done);
}

/* A done channel that is none: it can never be done. */
TEST(line_139_a_done_that_is_no_channel)
{
	struct mine m = {0};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_done, &m);
	leat_ctx *child = leat_ctx_with_cancel(ctx);

	CHECK(is_endless(ctx));
	CHECK(!is_done(child));
	leat_ctx_cancel(child);
	CHECK(is_done(child));
	leat_ctx_free(child);
	leat_ctx_free(ctx);
	test_goroutines(1);
}

static void started(void *arg)
{
	atomic_fetch_add((atomic_int *)arg, 1);
}

/* What still waits for it is ended by its free, and what was started leaves nothing behind. */
TEST(line_135_functions_of_a_custom_context)
{
	for (int round = 0; round < 3; round++) {
		struct mine m = {.done = chan_make(leat_empty, 0)};
		leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_done, &m);
		leat_ctx_after after[3];
		atomic_int ran = 0;

		if (round == 2)
			end(&m, -ECANCELED);
		for (int i = 0; i < 3; i++)
			leat_ctx_after_func(ctx, &after[i], started, &ran);
		if (round == 1)
			end(&m, -ECANCELED);
		if (round > 0)
			test_until(atomic_load(&ran) == 3);
		leat_ctx_free(ctx);
		test_until(atomic_load(&ran) == 3);
		test_goroutines(1);
		chan_free(m.done);
	}
}

struct maker {
	leat_ctx *parent;
	leat_waitgroup *done;
	int rounds;
};

static void maker(struct maker *a)
{
	for (int i = 0; i < a->rounds; i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(a->parent);
		leat_ctx_after after;
		atomic_int ran = 0;

		leat_ctx_after_func(a->parent, &after, started, &ran);
		if (i % 4 == 0)
			leat_yield();
		if (!leat_ctx_after_stop(&after))
			test_until(atomic_load(&ran) == 1);
		else
			CHECK_EQ(atomic_load(&ran), 0);
		leat_ctx_free(ctx);
	}
	leat_waitgroup_done(a->done);
}

static void *maker_thread(void *arg)
{
	maker(arg);
	return NULL;
}

/* The watcher is started and dismissed by many at once, while the channel closes. */
TEST(line_139_dependents_come_and_go_as_it_ends)
{
	int rounds = test_count(300);

	for (int round = 0; round < rounds; round++) {
		struct mine m = {.done = chan_make(leat_empty, 0)};
		leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_done, &m);
		leat_waitgroup done = {0};
		struct maker outside = {ctx, &done, 10};
		pthread_t thread;

		leat_waitgroup_add(&done, 5);
		for (int i = 0; i < 4; i++)
			go(maker, ctx, &done, 10);
		CHECK_EQ(pthread_create(&thread, NULL, maker_thread, &outside), 0);
		for (int i = round % 20; i > 0; i--)
			leat_yield();
		end(&m, -ECANCELED);
		leat_waitgroup_wait(&done);
		pthread_join(thread, NULL);
		leat_ctx_free(ctx);
		test_goroutines(1);
		chan_free(m.done);
	}
}

static void no_err(void *arg)
{
	static const leat_ctx_ops wrong = {.name = "wrong", .done = mine_done};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &wrong, arg);

	CHECK(ctx == NULL);
}

static void cancel(void *arg)
{
	leat_ctx_cancel((leat_ctx *)arg);
}

TEST(misuse_panics)
{
	struct mine m = {.done = chan_make(leat_empty, 0)};
	leat_ctx *ctx = leat_ctx_custom(leat_ctx_background(), &with_done, &m);
	leat_ctx *asked = leat_ctx_custom(leat_ctx_background(), &plain, NULL);

	CHECK(test_panics(no_err, &m, "ctx_custom: done without err"));
	CHECK(test_panics(cancel, ctx, "context: cannot be cancelled"));
	CHECK(test_panics(cancel, asked, "context: cannot be cancelled"));
	leat_ctx_free(ctx);
	leat_ctx_free(asked);
	chan_free(m.done);
}

TEST_MAIN
