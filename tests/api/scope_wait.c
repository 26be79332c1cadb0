/* SPDX-License-Identifier: MIT */
/*
 * Goal: scope_wait joins without cancelling and gives the first error; scope_fail, scope_cancel and
 * scope_err tell one story; a scope works in a plain thread and with go_with.
 * Method: plain variables written by the goroutines and read after the join; a race detector and
 * the values both show a join that is too early.
 */
#include "test.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

struct set_to {
	int *where;
	int v;
};

static void set_to(struct set_to *a)
{
	leat_yield();
	*a->where = a->v;
}

TEST(wait_joins_without_cancelling_and_more_may_follow)
{
	int v[100] = {0};
	scope(s, NULL);

	CHECK_EQ(scope_wait(s), 0);
	for (int round = 1; round <= 10; round++) {
		for (int i = 0; i < 100; i++)
			scope_go(s, set_to, &v[i], round * 1000 + i);
		CHECK_EQ(scope_wait(s), 0);
		CHECK_EQ(scope_err(s), 0);
		for (int i = 0; i < 100; i++)
			CHECK_EQ(v[i], round * 1000 + i);
	}
	CHECK_EQ(scope_wait(s), 0);
}

struct fork_join {
	leat_scope *s;
	int depth;
	atomic_int *leaves;
};

static void fork_join(struct fork_join *a)
{
	if (a->depth == 0) {
		atomic_fetch_add(a->leaves, 1);
		return;
	}
	for (int i = 0; i < 2; i++)
		scope_go(a->s, fork_join, a->s, a->depth - 1, a->leaves);
}

/* Those that goroutines of the scope start meanwhile belong to it as well. */
TEST(wait_includes_what_the_goroutines_start)
{
	atomic_int leaves = 0;
	scope(s, NULL);

	scope_go(s, fork_join, s, 10, &leaves);
	CHECK_EQ(scope_wait(s), 0);
	CHECK_EQ(leaves, 1024);
}

struct fail_with {
	leat_scope *s;
	int err;
};

static void fail_with(struct fail_with *a)
{
	scope_fail(a->s, a->err);
}

static void until_done(struct fail_with *a)
{
	chan_recv(scope_done(a->s));
	scope_fail(a->s, a->err);
}

TEST(the_first_failure_cancels_and_is_kept)
{
	scope(s, NULL);

	for (int i = 0; i < 20; i++)
		leat_scope_go(s, (void (*)(void *))until_done, &(struct fail_with){s, -100 - i},
		              sizeof(struct fail_with));
	scope_go(s, fail_with, s, 0);
	leat_yield();
	CHECK_EQ(scope_err(s), 0);
	scope_go(s, fail_with, s, -ENOENT);
	CHECK_EQ(scope_wait(s), -ENOENT);
	CHECK_EQ(scope_err(s), -ECANCELED);
	scope_fail(s, -EIO);
	CHECK_EQ(scope_wait(s), -ENOENT);
}

TEST(failing_after_a_cancel_still_reports)
{
	scope(s, NULL);

	scope_cancel(s);
	CHECK_EQ(scope_wait(s), 0);
	scope_fail(s, -EPIPE);
	CHECK_EQ(scope_wait(s), -EPIPE);
	CHECK_EQ(scope_err(s), -ECANCELED);
}

TEST(one_of_many_failures_at_once_wins)
{
	for (int round = 0; round < 50; round++) {
		int first;
		scope(s, NULL);

		for (int i = 1; i <= 20; i++)
			scope_go(s, fail_with, s, -i);
		first = scope_wait(s);
		CHECK(first <= -1 && first >= -20);
		CHECK_EQ(scope_wait(s), first);
		CHECK_EQ(scope_err(s), -ECANCELED);
	}
}

TEST(a_childs_failure_is_its_own)
{
	scope(parent, NULL);
	{
		scope(child, parent);
		scope_fail(child, -EIO);
		CHECK_EQ(scope_err(child), -ECANCELED);
		CHECK_EQ(scope_wait(child), -EIO);
	}
	CHECK_EQ(scope_err(parent), 0);
	CHECK_EQ(scope_wait(parent), 0);
}

struct hold_on {
	recv_chan(int) c;
};

static void hold_on(struct hold_on *a)
{
	chan_recv(a->c);
}

struct wait_for {
	leat_scope *s;
	int *got;
	leat_waitgroup *wg;
};

static void wait_for(struct wait_for *a)
{
	*a->got = scope_wait(a->s);
	leat_waitgroup_done(a->wg);
}

static void *wait_for_thread(void *arg)
{
	wait_for(arg);
	return NULL;
}

TEST(several_may_wait_at_once)
{
	chan(int) c = chan_make(int, 0);
	int got[11];
	leat_waitgroup wg = {0};

	memset(got, -1, sizeof got);
	{
		pthread_t thread;
		struct wait_for outside;
		scope(s, NULL);

		scope_go(s, hold_on, chan_receiver(c));
		outside = (struct wait_for){s, &got[10], &wg};
		leat_waitgroup_add(&wg, 11);
		for (int i = 0; i < 10; i++)
			go(wait_for, s, &got[i], &wg);
		CHECK_EQ(pthread_create(&thread, NULL, wait_for_thread, &outside), 0);
		test_parked(12);
		chan_send(c, 1);
		leat_waitgroup_wait(&wg);
		pthread_join(thread, NULL);
		CHECK_EQ(scope_wait(s), 0);
	}
	for (int i = 0; i < 11; i++)
		CHECK_EQ(got[i], 0);
	chan_free(c);
}

TEST(a_scope_of_another_goroutine_may_be_waited_for_from_a_third)
{
	chan(int) c = chan_make(int, 0);
	int got = -1;
	leat_waitgroup wg = {0};
	scope(s, NULL);

	scope_go(s, hold_on, chan_receiver(c));
	leat_waitgroup_add(&wg, 1);
	go(wait_for, s, &got, &wg);
	test_parked(2);
	scope_fail(s, -EDOM);
	leat_yield();
	chan_send(c, 1);
	leat_waitgroup_wait(&wg);
	CHECK_EQ(got, -EDOM);
	chan_free(c);
}

TEST(go_with_a_scope)
{
	leat_go_opts opts = {.name = "with", .stack_bytes = 300000};
	int v = 0, w = 0;
	scope(s, NULL);

	opts.scope = s;
	go_with(&opts, set_to, &v, 7);
	go_with(&(leat_go_opts){.scope = s}, set_to, &w, 8);
	CHECK_EQ(scope_wait(s), 0);
	CHECK_EQ(v, 7);
	CHECK_EQ(w, 8);
}

static atomic_int zeroes;

static void run0(void)
{
	atomic_fetch_add(&zeroes, 1);
}

TEST(scope_go0_and_large_arguments)
{
	struct set_to args;
	int v = 0;
	scope(s, NULL);

	zeroes = 0;
	for (int i = 0; i < 10; i++)
		scope_go0(s, run0);
	args = (struct set_to){&v, 3};
	leat_scope_go(s, (void (*)(void *))set_to, &args, sizeof args);
	memset(&args, 0, sizeof args);
	CHECK_EQ(scope_wait(s), 0);
	CHECK_EQ(zeroes, 10);
	CHECK_EQ(v, 3);
}

TEST(starting_in_a_done_scope_works)
{
	int v = 0;

	{
		scope(s, NULL);
		scope_cancel(s);
		scope_go(s, set_to, &v, 9);
	}
	CHECK_EQ(v, 9);
}

static void *scopes_in_thread(void *arg)
{
	int v[50] = {0};

	(void)arg;
	CHECK_EQ(leat_goid(), 0);
	{
		chan(int) c;
		scope(s, NULL);

		for (int i = 0; i < 50; i++)
			scope_go(s, set_to, &v[i], i);
		CHECK_EQ(scope_wait(s), 0);
		for (int i = 0; i < 50; i++)
			CHECK_EQ(v[i], i);
		c = scope_chan(s, int, 1);
		chan_send(c, 1);
		CHECK_EQ(chan_recv(c), 1);
		scope_timeout(s, LEAT_MILLISECOND);
		chan_recv(scope_done(s));
		CHECK_EQ(scope_err(s), -ETIMEDOUT);
	}
	for (int i = 0; i < 200; i++) {
		int ended = 0;
		{
			scope(s, NULL);
			scope_go(s, set_to, &ended, 1);
			if (i % 2)
				continue;
		}
		CHECK_EQ(ended, 1);
	}
	return NULL;
}

TEST(scopes_of_plain_threads)
{
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, scopes_in_thread, NULL), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static void *goexit_in_thread(void *arg)
{
	scope(s, NULL);
	scope_go(s, set_to, arg, 1);
	leat_goexit();
}

TEST(goexit_of_a_plain_thread_leaves_its_scopes)
{
	int ended = 0;
	pthread_t thread;

	CHECK_EQ(pthread_create(&thread, NULL, goexit_in_thread, &ended), 0);
	pthread_join(thread, NULL);
	CHECK_EQ(ended, 1);
}

TEST_MAIN
