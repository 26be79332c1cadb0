/* SPDX-License-Identifier: MIT */
/*
 * Goal: the tree of contexts: what a cancel reaches and what not, that nothing recurses, that a parent
 * forgets its children, and the same from many goroutines and threads at once.
 */
#include "ctx_help.h"

#include <pthread.h>
#include <stdatomic.h>

LEAT_ERROR(first_reason, -EIO, "first");
LEAT_ERROR(second_reason, -EPIPE, "second");

static LEAT_CTX_KEY(user, const char);

/* --- roots */

static void check_root(leat_ctx *root, const char *form)
{
	int64_t at = 7;
	int chosen = 0;

	CHECK(is_endless(root));
	CHECK(!leat_ctx_deadline(root, &at));
	CHECK_EQ(at, 7);
	CHECK(!leat_ctx_deadline(root, NULL));
	CHECK(ctx_value(root, user) == NULL);
	CHECK_FORM(root, form);
	chan_select {
		case_recv(leat_ctx_done(root))
			chosen = 1;
		case_timeout(LEAT_MILLISECOND)
			chosen = 2;
	}
	CHECK_EQ(chosen, 2);
}

TEST(line_124_roots_are_never_done)
{
	check_root(leat_ctx_background(), "context.Background");
	check_root(leat_ctx_todo(), "context.TODO");
	CHECK(leat_ctx_background() == leat_ctx_background());
	CHECK(leat_ctx_todo() == leat_ctx_todo());
	CHECK(leat_ctx_background() != leat_ctx_todo());
}

TEST(no_context_is_asked_like_a_root)
{
	CHECK_EQ(leat_ctx_err((leat_ctx *)NULL), 0);
	CHECK(leat_ctx_done((leat_ctx *)NULL) == NULL);
	CHECK(leat_ctx_error((leat_ctx *)NULL) == NULL);
	CHECK(leat_ctx_cause((leat_ctx *)NULL) == NULL);
}

/* --- what a cancel reaches */

enum kind { CANCEL, TIMEOUT, VALUE, WITHOUT, CUSTOM, KINDS };

static const leat_ctx_ops wrapper = {.name = "wrapper"};

static leat_ctx *make(enum kind kind, leat_ctx *parent)
{
	static int value;

	switch (kind) {
	case CANCEL:
		return leat_ctx_with_cancel(parent);
	case TIMEOUT:
		return leat_ctx_with_timeout(parent, LEAT_HOUR);
	case VALUE:
		return leat_ctx_with_value(parent, &(const leat_ctx_key){"k"}, &value);
	case WITHOUT:
		return leat_ctx_without_cancel(parent);
	default:
		return leat_ctx_custom(parent, &wrapper, NULL);
	}
}

static unsigned random_below(unsigned n)
{
	static unsigned state = 1;

	state = state * 1103515245u + 12345u;
	return (state >> 16) % n;
}

enum { NODES = 60 };

struct model {
	leat_ctx *ctx[NODES];
	enum kind kind[NODES];
	int parent[NODES];
	const leat_error *cause[NODES]; /* NULL: not done */
};

/* Node i, and all below it that nothing shields, are done because of cause, unless they already are. */
static void model_cancel(struct model *t, int i, const leat_error *cause)
{
	bool reached[NODES] = {false};

	for (int k = i; k < NODES; k++) {
		reached[k] = k == i || (t->parent[k] >= 0 && reached[t->parent[k]]);
		reached[k] &= t->kind[k] != WITHOUT;
		if (reached[k] && !t->cause[k])
			t->cause[k] = cause;
	}
}

static void model_check(struct model *t)
{
	for (int i = 0; i < NODES; i++) {
		CHECK_EQ(leat_ctx_err(t->ctx[i]), t->cause[i] ? -ECANCELED : 0);
		CHECK(leat_ctx_cause(t->ctx[i]) == t->cause[i]);
		CHECK(is_done(t->ctx[i]) == (t->cause[i] != NULL));
		if (t->kind[i] == CANCEL || t->kind[i] == TIMEOUT)
			CHECK(leat_ctx_done(t->ctx[i]) != NULL);
		if (t->kind[i] == WITHOUT)
			CHECK(is_endless(t->ctx[i]));
	}
}

/* Random trees of all kinds, against a model of which node is done and why. */
TEST(line_125_line_132_line_134_a_cancel_reaches_what_is_below_and_nothing_else)
{
	int rounds = test_count(2000);
	size_t before = 0;

	for (int round = 0; round < rounds; round++) {
		const leat_error *causes[] = {&leat_canceled, &first_reason, &second_reason};
		struct model t = {.parent = {-1}};

		for (int i = 0; i < NODES; i++) {
			t.parent[i] = i ? (int)random_below((unsigned)i + 1) - 1 : -1;
			t.kind[i] = random_below(KINDS);
			t.ctx[i] =
			    make(t.kind[i], t.parent[i] < 0 ? leat_ctx_background() : t.ctx[t.parent[i]]);
			if (random_below(3) == 0)
				leat_ctx_done(t.ctx[i]);
		}
		model_check(&t);
		for (int times = 0; times < 6; times++) {
			int i = (int)random_below(NODES);
			const leat_error *cause = causes[random_below(3)];

			if (t.kind[i] != CANCEL && t.kind[i] != TIMEOUT)
				continue;
			leat_ctx_cancel_cause(t.ctx[i], cause == &leat_canceled ? NULL : cause);
			model_cancel(&t, i, cause);
			model_check(&t);
		}
		for (int i = NODES; i-- > 0;)
			leat_ctx_free(t.ctx[i]);
		if (round == rounds / 2)
			before = test_heap_in_use();
	}
	CHECK(heap_is_back(before));
}

TEST(line_126_err_is_fixed_once_it_is_there)
{
	leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	leat_ctx *other = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);

	leat_ctx_cancel(other);
	CHECK(leat_ctx_error(other) == &leat_canceled);
	CHECK_STR(leat_error_message(leat_ctx_error(other)), "context canceled");
	chan_recv(leat_ctx_done(ctx));
	CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
	CHECK_STR(leat_error_message(leat_ctx_error(ctx)), "context deadline exceeded");
	leat_ctx_cancel_cause(ctx, &first_reason);
	CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
	CHECK(leat_ctx_cause(ctx) == &leat_deadline_exceeded);
	leat_sleep(2 * LEAT_MILLISECOND);
	CHECK_EQ(leat_ctx_err(other), -ECANCELED);
	leat_ctx_free(ctx);
	leat_ctx_free(other);
}

struct look {
	leat_ctx *ctx;
	leat_waitgroup *done;
	int *written;
};

static void look(struct look *a)
{
	while (!leat_ctx_err(a->ctx))
		leat_yield();
	CHECK(chan_try_recv(leat_ctx_done(a->ctx), NULL, NULL));
	CHECK(leat_ctx_cause(a->ctx) == &first_reason);
	CHECK_EQ(*a->written, 42);
	leat_waitgroup_done(a->done);
}

static void await_done(struct look *a)
{
	chan_recv(leat_ctx_done(a->ctx));
	CHECK_EQ(leat_ctx_err(a->ctx), -ECANCELED);
	CHECK(leat_ctx_cause(a->ctx) == &first_reason);
	CHECK_EQ(*a->written, 42);
	leat_waitgroup_done(a->done);
}

static void *look_in_thread(void *arg)
{
	look(arg);
	return NULL;
}

static void *await_in_thread(void *arg)
{
	await_done(arg);
	return NULL;
}

/* Who finds it done by err, by done or by its parent's side sees all that came before the cancel. */
TEST(line_126_a_cancel_happens_before_what_finds_it_done)
{
	int rounds = test_count(2000);

	for (int round = 0; round < rounds; round++) {
		leat_ctx *above = leat_ctx_with_cancel(leat_ctx_background());
		leat_ctx *ctx = round % 2 ? leat_ctx_with_cancel(above) : make(VALUE, above);
		leat_waitgroup done = {0};
		int written = 0;
		struct look a = {ctx, &done, &written};
		pthread_t threads[2];

		leat_waitgroup_add(&done, 8);
		for (int i = 0; i < 3; i++) {
			go(look, ctx, &done, &written);
			go_as(look, await_done, ctx, &done, &written);
		}
		CHECK_EQ(pthread_create(&threads[0], NULL, look_in_thread, &a), 0);
		CHECK_EQ(pthread_create(&threads[1], NULL, await_in_thread, &a), 0);
		leat_yield();
		written = 42;
		leat_ctx_cancel_cause(above, &first_reason);
		pthread_join(threads[0], NULL);
		pthread_join(threads[1], NULL);
		leat_waitgroup_wait(&done);
		leat_ctx_free(ctx);
		leat_ctx_free(above);
	}
	test_goroutines(1);
}

/* --- cancels at the same time */

TEST(line_127_a_second_cancel_changes_nothing)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());

	leat_ctx_cancel_cause(ctx, &first_reason);
	leat_ctx_cancel_cause(ctx, &second_reason);
	leat_ctx_cancel(ctx);
	CHECK(is_done(ctx));
	CHECK(leat_ctx_cause(ctx) == &first_reason);
	leat_ctx_free(ctx);
}

struct canceller {
	leat_ctx *ctx, *below;
	leat_waitgroup *start, *done;
};

/* Also the second to cancel returns only when all below is done. */

static void canceller(struct canceller *a)
{
	leat_waitgroup_wait(a->start);
	leat_ctx_cancel(a->ctx);
	CHECK(is_done(a->below));
	CHECK(is_done(a->ctx));
	leat_waitgroup_done(a->done);
}

static void *cancel_in_thread(void *arg)
{
	canceller(arg);
	return NULL;
}

enum { TREE = 100 };

static void make_tree(leat_ctx **tree, int fan_out)
{
	for (int i = 0; i < TREE; i++)
		tree[i] = leat_ctx_with_cancel(i == 0 ? leat_ctx_background() : tree[(i - 1) / fan_out]);
}

/* The last node below i on the way of first children. */
static int last_below(int i, int fan_out)
{
	while (i * fan_out + 1 < TREE)
		i = i * fan_out + 1;
	return i;
}

static void free_tree(leat_ctx **tree)
{
	for (int i = TREE; i-- > 0;) {
		CHECK_EQ(leat_ctx_err(tree[i]), -ECANCELED);
		leat_ctx_free(tree[i]);
	}
}

/* Each node of a tree of 100 is cancelled by two goroutines, some by a thread, all at once. */
TEST(line_127_all_of_a_tree_of_100_cancelled_at_once)
{
	int rounds = test_count(300);

	for (int round = 0; round < rounds; round++) {
		leat_ctx *tree[TREE];
		leat_waitgroup start = {0}, done = {0};
		struct canceller outside;
		pthread_t thread;

		make_tree(tree, 1 + round % 5);
		leat_waitgroup_add(&start, 1);
		leat_waitgroup_add(&done, 2 * TREE + 1);
		for (int i = 0; i < 2 * TREE; i++)
			go(canceller, tree[i * 7 % TREE], tree[last_below(i * 7 % TREE, 1 + round % 5)], &start,
			   &done);
		outside = (struct canceller){tree[round % TREE], tree[round % TREE], &start, &done};
		CHECK_EQ(pthread_create(&thread, NULL, cancel_in_thread, &outside), 0);
		leat_waitgroup_done(&start);
		leat_waitgroup_wait(&done);
		pthread_join(thread, NULL);
		free_tree(tree);
	}
	test_goroutines(1);
}

struct chained {
	leat_ctx *above, *own;
	leat_waitgroup *done;
};

/* Woken by what reaches its own context as well, it cancels both. */
static void chained(struct chained *a)
{
	chan_recv(leat_ctx_done(a->above));
	leat_ctx_cancel(a->own);
	CHECK(is_done(a->own));
	leat_ctx_cancel(a->above);
	leat_waitgroup_done(a->done);
}

TEST(line_127_cancels_by_those_whom_the_parent_woke)
{
	int rounds = test_count(300);

	for (int round = 0; round < rounds; round++) {
		leat_ctx *tree[TREE];
		leat_waitgroup done = {0};

		make_tree(tree, 1 + round % 5);
		leat_waitgroup_add(&done, 2 * (TREE - 1));
		for (int i = 1; i < TREE; i++) {
			go(chained, tree[(i - 1) / (1 + round % 5)], tree[i], &done);
			go(chained, tree[i], tree[(i - 1) / (1 + round % 5)], &done);
		}
		if (round % 2)
			test_parked(2 * (TREE - 1));
		leat_ctx_cancel(tree[round % TREE]);
		leat_ctx_cancel(tree[0]);
		leat_waitgroup_wait(&done);
		free_tree(tree);
	}
	test_goroutines(1);
}

struct maker {
	leat_ctx *parent;
	leat_waitgroup *done;
	int kind;
};

static void maker(struct maker *a)
{
	for (int i = 0; i < 20; i++) {
		bool was = leat_ctx_err(a->parent) != 0;
		leat_ctx *ctx = make((enum kind)(a->kind % 2), a->parent);
		leat_ctx *below = leat_ctx_with_cancel(ctx);
		leat_ctx *leaf = make((enum kind)((a->kind + i) % KINDS), below);

		if (i % 3 == 0)
			leat_ctx_done(below);
		if (i % 4 == 0)
			leat_ctx_cancel(below);
		if (was)
			CHECK(is_done(ctx));
		leat_ctx_free(leaf);
		leat_ctx_free(below);
		leat_ctx_free(ctx);
		if (i % 5 == 0)
			leat_yield();
	}
	leat_waitgroup_done(a->done);
}

/* Children are made and freed while the parent's cancel walks over them. */
TEST(line_128_line_129_children_come_and_go_during_the_cancel)
{
	int rounds = test_count(2000);

	for (int round = 0; round < rounds; round++) {
		leat_ctx *parent = leat_ctx_with_cancel(leat_ctx_background());
		leat_waitgroup done = {0};

		leat_waitgroup_add(&done, 6);
		for (int i = 0; i < 6; i++)
			go(maker, parent, &done, i);
		for (int i = round % 8; i > 0; i--)
			leat_yield();
		leat_ctx_cancel(parent);
		leat_waitgroup_wait(&done);
		leat_ctx_free(parent);
	}
	test_goroutines(1);
}

TEST_MAIN
