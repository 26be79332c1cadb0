/* SPDX-License-Identifier: MIT */
/*
 * Goal: cancelling a scope makes everything below it done before the call returns, and nothing
 * else; it may come from anywhere, several times, at once, and while scopes are being left.
 * Method: deep and wide trees of scopes whose errors are read right after the cancel.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/* A scope at each depth; the deepest cancels the root and looks at all of them. */
static void descend(leat_scope **scopes, int depth, int most)
{
	scope(s, depth > 0 ? scopes[depth - 1] : NULL);

	scopes[depth] = s;
	if (depth + 1 < most) {
		descend(scopes, depth + 1, most);
		return;
	}
	for (int i = 0; i < most; i++)
		CHECK_EQ(scope_err(scopes[i]), 0);
	scope_cancel(scopes[most / 2]);
	for (int i = 0; i < most; i++)
		CHECK_EQ(scope_err(scopes[i]), i < most / 2 ? 0 : -ECANCELED);
	scope_cancel(scopes[0]);
	for (int i = 0; i < most; i++)
		CHECK_EQ(scope_err(scopes[i]), -ECANCELED);
}

TEST(cancelling_reaches_a_depth_of_1000)
{
	leat_scope *scopes[1000];

	descend(scopes, 0, 1000);
}

struct deep {
	leat_scope *parent;
	int left;
	atomic_int *ended;
};

/* The same depth in a chain of goroutines, each joined by the one above. */
static void deep(struct deep *a)
{
	scope(s, a->parent);

	if (a->left > 1)
		scope_go(s, deep, s, a->left - 1, a->ended);
	chan_recv(scope_done(s));
	CHECK_EQ(scope_err(s), -ECANCELED);
	scope_wait(s);
	atomic_fetch_add(a->ended, 1);
}

TEST(cancelling_ends_a_chain_of_1000_goroutines)
{
	int n = test_count(10000);
	atomic_int ended = 0;

	{
		scope(s, NULL);
		scope_go(s, deep, s, n, &ended);
		test_parked(n);
		scope_cancel(s);
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(ended, n);
	}
	test_goroutines(1);
}

struct wide {
	leat_scope *parent;
	leat_scope **where;
	atomic_int *up, *ended;
	chan(int) leave;
};

static void wide(struct wide *a)
{
	{
		scope(s, a->parent);
		*a->where = s;
		atomic_fetch_add(a->up, 1);
		chan_recv(scope_done(s));
		CHECK_EQ(scope_err(s), -ECANCELED);
		chan_recv(a->leave);
	}
	atomic_fetch_add(a->ended, 1);
}

TEST(cancelling_reaches_10000_children_before_it_returns)
{
	int n = test_count(100000);
	leat_scope **scopes = calloc((size_t)n, sizeof(leat_scope *));
	chan(int) leave = chan_make(int, 0);
	atomic_int up = 0, ended = 0;

	CHECK(scopes != NULL);
	{
		scope(s, NULL);
		for (int i = 0; i < n; i++)
			scope_go(s, wide, s, &scopes[i], &up, &ended, leave);
		test_parked(n);
		CHECK_EQ(up, n);
		scope_cancel(s);
		for (int i = 0; i < n; i++)
			CHECK_EQ(scope_err(scopes[i]), -ECANCELED);
		chan_close(leave);
	}
	CHECK_EQ(ended, n);
	free(scopes);
	chan_free(leave);
	test_goroutines(1);
}

TEST(a_childs_cancel_leaves_parent_and_siblings_alone)
{
	scope(parent, NULL);
	scope(first, parent);
	scope(second, parent);
	scope(below, first);

	scope_cancel(first);
	CHECK_EQ(scope_err(first), -ECANCELED);
	CHECK_EQ(scope_err(below), -ECANCELED);
	CHECK_EQ(scope_err(second), 0);
	CHECK_EQ(scope_err(parent), 0);
	CHECK(!chan_try_recv(scope_done(second), NULL, NULL));
	CHECK(!chan_try_recv(scope_done(parent), NULL, NULL));
	CHECK(chan_try_recv(scope_done(below), NULL, NULL));
}

TEST(line_129_a_child_of_a_done_scope_is_done_at_once)
{
	scope(parent, NULL);

	scope_timeout(parent, 0);
	CHECK_EQ(scope_err(parent), -ETIMEDOUT);
	{
		bool ok = true;
		scope(child, parent);

		CHECK_EQ(scope_err(child), -ETIMEDOUT);
		CHECK(chan_try_recv(scope_done(child), NULL, &ok));
		CHECK(!ok);
	}
	{
		scope(other, NULL);
		scope(child, other);
		scope_cancel(other);
		{
			scope(grandchild, child);
			CHECK_EQ(scope_err(grandchild), -ECANCELED);
		}
	}
}

TEST(line_127_a_second_cancel_changes_nothing)
{
	scope(s, NULL);

	scope_timeout(s, 0);
	scope_cancel(s);
	scope_cancel(s);
	CHECK_EQ(scope_err(s), -ETIMEDOUT);
	{
		scope(t, NULL);
		scope_cancel(t);
		scope_cancel(t);
		scope_timeout(t, 0);
		CHECK_EQ(scope_err(t), -ECANCELED);
	}
}

TEST(done_is_one_channel_and_tells_when)
{
	bool ok = true;
	scope(s, NULL);
	recv_chan(leat_empty) done = scope_done(s);

	CHECK(done == scope_done(s));
	CHECK(!chan_try_recv(done, NULL, &ok));
	CHECK(ok);
	scope_cancel(s);
	CHECK(chan_try_recv(done, NULL, &ok));
	CHECK(!ok);
	CHECK(done == scope_done(s));
	{
		int chosen = 0;
		chan(int) never = NULL;

		chan_select {
			case_recv(never)
				chosen = 1;
			case_recv(scope_done(s))
				chosen = 2;
		}
		CHECK_EQ(chosen, 2);
	}
}

TEST(done_first_asked_for_after_the_cancel_is_closed)
{
	bool ok = true;
	scope(s, NULL);

	scope_cancel(s);
	CHECK(chan_try_recv(scope_done(s), NULL, &ok));
	CHECK(!ok);
}

struct ask_done {
	leat_scope *s;
	leat_chan **where;
};

static void ask_done(struct ask_done *a)
{
	*a->where = (leat_chan *)(void *)scope_done(a->s);
}

TEST(done_asked_for_by_many_at_once_is_one_channel)
{
	for (int round = 0; round < 100; round++) {
		leat_chan *got[16];
		scope(s, NULL);

		for (int i = 0; i < 16; i++)
			scope_go(s, ask_done, s, &got[i]);
		if (round % 2)
			scope_cancel(s);
		scope_wait(s);
		for (int i = 0; i < 16; i++)
			CHECK(got[i] == (leat_chan *)(void *)scope_done(s));
	}
}

struct worker {
	leat_scope *s;
	recv_chan(int) in;
	atomic_int *done, *jobs;
};

static void worker(struct worker *a)
{
	for (;;) {
		bool over = false;

		chan_select {
			case_recv(scope_done(a->s))
				over = true;
			case_recv(a->in, v, ok) {
				(void)v;
				CHECK(ok);
				atomic_fetch_add(a->jobs, 1);
			}
		}
		if (over)
			break;
	}
	atomic_fetch_add(a->done, 1);
}

TEST(done_in_select_ends_workers)
{
	atomic_int done = 0, jobs = 0;

	{
		scope(s, NULL);
		chan(int) in = scope_chan(s, int, 0);

		for (int i = 0; i < 20; i++)
			scope_go(s, worker, s, chan_receiver(in), &done, &jobs);
		for (int i = 0; i < 100; i++)
			chan_send(in, i);
		test_until(atomic_load(&jobs) == 100);
		CHECK_EQ(done, 0);
	}
	CHECK_EQ(done, 20);
}

struct canceller {
	leat_scope *s;
	leat_waitgroup *start;
};

static void canceller(struct canceller *a)
{
	leat_waitgroup_wait(a->start);
	scope_cancel(a->s);
	CHECK(scope_err(a->s) != 0);
}

static void *cancel_thread(void *arg)
{
	canceller(arg);
	return NULL;
}

/* Every node of a tree is cancelled by somebody at the same time. */
TEST(line_127_many_cancel_at_once)
{
	for (int round = 0; round < 30; round++) {
		leat_waitgroup start = {0};
		struct canceller outside;
		pthread_t thread;
		scope(helpers, NULL);
		scope(root, NULL);
		scope(left, root);
		scope(right, root);
		scope(leaf, left);
		leat_scope *all[] = {root, left, right, leaf};

		leat_waitgroup_add(&start, 1);
		for (int i = 0; i < 32; i++)
			scope_go(helpers, canceller, all[(i + round) % 4], &start);
		outside = (struct canceller){root, &start};
		CHECK_EQ(pthread_create(&thread, NULL, cancel_thread, &outside), 0);
		leat_waitgroup_done(&start);
		scope_wait(helpers);
		pthread_join(thread, NULL);
		for (int i = 0; i < 4; i++)
			CHECK_EQ(scope_err(all[i]), -ECANCELED);
	}
}

struct chained {
	leat_scope *above, *own;
};

/* Woken by the parent's done, it cancels its own scope, which that very cancel also reaches. */
static void chained(struct chained *a)
{
	chan_recv(scope_done(a->above));
	scope_cancel(a->own);
	CHECK_EQ(scope_err(a->own), -ECANCELED);
	scope_cancel(a->above);
}

TEST(line_127_cancels_from_goroutines_woken_by_the_parent)
{
	for (int round = 0; round < 30; round++) {
		scope(helpers, NULL);
		scope(root, NULL);
		scope(a, root);
		scope(b, a);
		scope(c, root);

		for (int i = 0; i < 5; i++) {
			scope_go(helpers, chained, root, a);
			scope_go(helpers, chained, a, b);
			scope_go(helpers, chained, root, c);
		}
		scope_cancel(root);
		scope_wait(helpers);
	}
}

struct come_and_go {
	leat_scope *parent;
	atomic_bool *stop;
};

static void come_and_go(struct come_and_go *a)
{
	while (!atomic_load(a->stop)) {
		scope(s, a->parent);
		{
			scope(t, s);
			if (scope_err(t) == 0)
				scope_done(t);
		}
		leat_yield();
	}
}

/* Children leave while the parent's cancel walks over them. */
TEST(line_128_cancel_races_with_leaving_children)
{
	int rounds = test_count(2000);

	for (int round = 0; round < rounds; round++) {
		atomic_bool stop = false;
		scope(s, NULL);

		for (int i = 0; i < 8; i++)
			scope_go(s, come_and_go, s, &stop);
		leat_yield();
		scope_cancel(s);
		atomic_store(&stop, true);
		CHECK_EQ(scope_wait(s), 0);
	}
	test_goroutines(1);
}

TEST(line_128_a_long_lived_parent_forgets_its_children)
{
	int n = test_count(1000000);
	scope(parent, NULL);

	for (int i = 0; i < n; i++) {
		scope(child, parent);
		if (i % 16 == 0)
			scope_done(child);
		if (i % 16 == 1)
			scope_timeout(child, LEAT_HOUR);
	}
	/* Would walk over dead stack memory if one of them were still linked. */
	scope_cancel(parent);
	CHECK_EQ(scope_err(parent), -ECANCELED);
}

TEST_MAIN
