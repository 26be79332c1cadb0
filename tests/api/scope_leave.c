/* SPDX-License-Identifier: MIT */
/*
 * Goal: every way out of a scope's block cancels it, joins its goroutines and frees what it owns,
 * in this order.
 * Method: each scope has a goroutine that wakes by the cancellation alone, then uses the scope's
 * memory and channel for a while, and last writes a plain int that the code after the block reads.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>

struct last_breath {
	leat_scope *s;
	chan(int) c;
	int *memory;
	int *ended;
};

static void last_breath(struct last_breath *a)
{
	chan_recv(scope_done(a->s));
	CHECK_EQ(scope_err(a->s), -ECANCELED);
	for (int i = 0; i < 100; i++) {
		a->memory[i]++;
		if (i % 10 == 0)
			leat_yield();
		if (!chan_try_send(a->c, i))
			chan_try_recv(a->c, NULL, NULL);
	}
	for (int i = 0; i < 100; i++)
		CHECK_EQ(a->memory[i], i + 1);
	*a->ended = 1;
}

static void fill(leat_scope *s, int *ended)
{
	int *memory = scope_alloc(s, int, 100);
	chan(int) c = scope_chan(s, int, 7);

	for (int i = 0; i < 100; i++)
		memory[i] = i;
	*ended = 0;
	scope_go(s, last_breath, s, c, memory, ended);
}

TEST(leaving_at_the_end)
{
	int ended;

	{
		scope(s, NULL);
		fill(s, &ended);
		CHECK_EQ(scope_err(s), 0);
	}
	CHECK_EQ(ended, 1);
}

TEST(leaving_by_break)
{
	int ended, turns = 0;

	for (;;) {
		scope(s, NULL);
		fill(s, &ended);
		if (++turns == 1)
			break;
	}
	CHECK_EQ(ended, 1);
	CHECK_EQ(turns, 1);
}

TEST(leaving_by_continue)
{
	int ended[10] = {0}, second[10] = {0};

	for (int i = 0; i < 10; i++) {
		scope(s, NULL);

		if (i > 0)
			CHECK_EQ(ended[i - 1], 1);
		fill(s, &ended[i]);
		if (i % 2 == 0)
			continue;
		fill(s, &second[i]);
	}
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(ended[i], 1);
		CHECK_EQ(second[i], i % 2);
	}
}

static int return_from(int *ended, int *copy)
{
	scope(s, NULL);
	fill(s, ended);
	*copy = 5;
	return *ended * 10 + *copy;
}

TEST(leaving_by_return_which_reads_before_the_join)
{
	int ended, copy = 0;

	CHECK_EQ(return_from(&ended, &copy), 5);
	CHECK_EQ(ended, 1);
}

struct set_to {
	int *where;
	int v;
};

static void set_to(struct set_to *a)
{
	leat_yield();
	*a->where = a->v;
}

static int return_after_wait(int *sum)
{
	scope(s, NULL);
	scope_go(s, set_to, sum, 42);
	CHECK_EQ(scope_wait(s), 0);
	return *sum;
}

TEST(a_wait_before_the_return_gives_the_results)
{
	int sum = 0;

	CHECK_EQ(return_after_wait(&sum), 42);
}

TEST(leaving_by_goto_forwards)
{
	int ended[2];

	{
		scope(s, NULL);
		fill(s, &ended[0]);
		{
			scope(inner, s);
			fill(inner, &ended[1]);
			goto out;
		}
	}
out:
	CHECK_EQ(ended[0], 1);
	CHECK_EQ(ended[1], 1);
}

TEST(leaving_by_goto_backwards)
{
	int ended[3] = {0}, turn = 0;

again:
	if (turn > 0)
		CHECK_EQ(ended[turn - 1], 1);
	if (turn < 3) {
		scope(s, NULL);
		fill(s, &ended[turn]);
		turn++;
		goto again;
	}
	CHECK_EQ(turn, 3);
}

static void panic_in_scope(void *arg)
{
	int *ended = arg;

	scope(s, NULL);
	fill(s, &ended[0]);
	{
		scope(inner, s);
		fill(inner, &ended[1]);
		leat_panic("out of here");
	}
}

TEST(leaving_by_panic)
{
	int ended[2];

	CHECK(test_panics(panic_in_scope, ended, "out of here"));
	CHECK_EQ(ended[0], 1);
	CHECK_EQ(ended[1], 1);
}

struct goexit_in_scope {
	int *ended;
	leat_waitgroup *wg;
};

static void done_wg(leat_waitgroup *wg)
{
	leat_waitgroup_done(wg);
}

static void goexit_in_scope(struct goexit_in_scope *a)
{
	defer(done_wg, a->wg);
	scope(s, NULL);
	fill(s, &a->ended[0]);
	{
		scope(inner, s);
		fill(inner, &a->ended[1]);
		leat_goexit();
	}
}

TEST(leaving_by_goexit)
{
	leat_waitgroup wg = {0};
	int ended[2];

	leat_waitgroup_add(&wg, 1);
	go(goexit_in_scope, ended, &wg);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(ended[0], 1);
	CHECK_EQ(ended[1], 1);
	test_goroutines(1);
}

static int order[16], ordered;

static void log_order(int *v)
{
	order[ordered++] = *v;
}

struct log_when_done {
	leat_scope *s;
	int v;
};

static void log_when_done(struct log_when_done *a)
{
	chan_recv(scope_done(a->s));
	log_order(&a->v);
}

static void mixed(void *panics)
{
	int one = 1, three = 3, five = 5;

	defer(log_order, &one);
	scope(outer, NULL);
	scope_go(outer, log_when_done, outer, 2);
	defer(log_order, &three);
	scope(inner, NULL);
	scope_go(inner, log_when_done, inner, 4);
	defer(log_order, &five);
	if (panics)
		leat_panic("mixed");
}

TEST(scopes_and_defers_leave_last_first)
{
	static const int want[] = {5, 4, 3, 2, 1};

	ordered = 0;
	mixed(NULL);
	CHECK_EQ(ordered, 5);
	CHECK(memcmp(order, want, sizeof want) == 0);
	ordered = 0;
	CHECK(test_panics(mixed, &ordered, "mixed"));
	CHECK_EQ(ordered, 5);
	CHECK(memcmp(order, want, sizeof want) == 0);
}

/* Goroutines started while the block is being left are joined too, and find the scope done. */
struct successor {
	leat_scope *s;
	int left;
	atomic_int *ended;
};

static void successor(struct successor *a)
{
	if (a->left == 100)
		chan_recv(scope_done(a->s));
	CHECK(scope_err(a->s) != 0);
	leat_yield();
	if (a->left > 1)
		scope_go(a->s, successor, a->s, a->left - 1, a->ended);
	leat_yield();
	atomic_fetch_add(a->ended, 1);
}

TEST(goroutines_started_while_leaving_are_joined)
{
	atomic_int ended = 0;

	{
		scope(s, NULL);
		scope_go(s, successor, s, 100, &ended);
	}
	CHECK_EQ(ended, 100);
}

static void goexit_at_once(void)
{
	leat_goexit();
}

static void deep_goexit(struct last_breath *a)
{
	scope(own, a->s);
	fill(own, a->ended);
	leat_goexit();
}

TEST(goroutines_that_goexit_count_as_ended)
{
	int ended = 0;

	{
		scope(s, NULL);
		for (int i = 0; i < 10; i++)
			scope_go0(s, goexit_at_once);
		leat_scope_go(s, (void (*)(void *))deep_goexit,
		              &(struct last_breath){s, NULL, NULL, &ended}, sizeof(struct last_breath));
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(ended, 1);
	}
	test_goroutines(1);
}

/* A child scope lives in a goroutine of its parent: leaving the parent waits for all of it. */
struct nest {
	leat_scope *parent;
	int depth;
	int *ended;
};

static void nest(struct nest *a)
{
	scope(s, a->parent);
	fill(s, &a->ended[a->depth]);
	if (a->depth > 0)
		scope_go(s, nest, s, a->depth - 1, a->ended);
	chan_recv(scope_done(s));
}

TEST(a_child_scope_in_a_goroutine_of_the_parent)
{
	int ended[20];

	memset(ended, -1, sizeof ended);
	{
		scope(s, NULL);
		scope_go(s, nest, s, 19, ended);
		test_parked(40);
		CHECK_EQ(leat_num_goroutine(), 41);
	}
	for (int i = 0; i < 20; i++)
		CHECK_EQ(ended[i], 1);
	test_goroutines(1);
}

TEST(an_unused_scope_costs_nothing_to_leave)
{
	for (int i = 0; i < 10000; i++) {
		scope(s, NULL);
		CHECK_EQ(scope_err(s), 0);
	}
	CHECK_EQ(leat_num_goroutine(), 1);
}

static void many_ways(int n, int *ended)
{
	for (int i = 0; i < n; i++) {
		scope(s, NULL);

		fill(s, ended);
		if (i % 3 == 0)
			continue;
		scope_cancel(s);
		if (i % 3 == 1)
			continue;
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(*ended, 1);
	}
}

TEST(leaving_races_with_the_start_of_what_it_joins)
{
	int ended = 0;

	many_ways(test_count(20000), &ended);
	CHECK_EQ(ended, 1);
}

TEST_MAIN
