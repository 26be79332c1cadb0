/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 notsan noemulator */
/*
 * Goal: a child that was forked in a coroutine goes on in it, and what the resumers' stacks hold, scopes among it, does
 * not wait for goroutines that are gone; nor does what coroutines hold that are suspended when somebody forks.
 */
#include "test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

struct waits {
	leat_scope *s;
};

static void waits(struct waits *a)
{
	chan_recv(scope_done(a->s));
}

static void forks(coro(int) c)
{
	pid_t child = fork();

	CHECK(child >= 0);
	leat_yield(); /* here the child begins anew */
	coro_yield(c, child);
	coro_yield(c, child);
}

static void resumes(coro(int) c)
{
	coro(int) inner = coro_make0(int, forks);

	coro_range(v, inner)
		coro_yield(c, v);
	coro_free(inner);
}

static void fork_inside(void)
{
	int status = -1, child = -1;

	{
		scope(s, NULL);
		coro(int) c = coro_make0(int, resumes);

		for (int i = 0; i < 3; i++)
			scope_go(s, waits, .s = s);
		CHECK(coro_next(c, &child));
		CHECK(coro_next(c, &child));
		CHECK(!coro_next(c, &child));
		coro_free(c);
	}
	if (child == 0)
		_exit(leat_num_goroutine() == 1 ? 0 : 9);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST(fork_in_main)
{
	fork_inside();
}

struct in_goroutine {
	leat_waitgroup *done;
};

static void in_goroutine(struct in_goroutine *a)
{
	fork_inside();
	leat_waitgroup_done(a->done);
}

TEST(fork_in_a_goroutine)
{
	leat_waitgroup done = {0};

	leat_waitgroup_add(&done, 1);
	go(in_goroutine, .done = &done);
	leat_waitgroup_wait(&done);
}

/* --- suspended ones */

static bool in_child;

struct holds {
	ptrdiff_t limit; /* of its scope; 0: none */
};

struct group {
	leat_scope *s;
	leat_waitgroup wg;
};

static void end_group(void *p)
{
	struct group *g = p;

	leat_scope_cancel(g->s);
	leat_waitgroup_wait(&g->wg);
}

/* A scope and a wait group with goroutines that wait until the scope is left. */
static void holds(coro(int) c, struct holds *a)
{
	{
		scope(s, NULL);
		struct group g = {.s = s};
		defer(end_group, &g);

		if (a->limit)
			leat_scope_limit(s, a->limit);
		for (int i = 0; i < 3; i++)
			scope_go(s, waits, .s = s);
		wg_go(&g.wg, waits, .s = s);
		coro_yield(c, 1);
		/* There are places where those who had them are gone. */
		if (in_child)
			scope_go(s, waits, .s = s);
		leat_scope_cancel(s);
		CHECK_EQ(leat_scope_wait(s), 0);
	}
	coro_yield(c, 2);
}

static void nests(coro(int) c)
{
	scope(s, NULL);
	coro_own(inner, int, holds, .limit = 3);

	scope_go(s, waits, .s = s);
	coro_range(v, inner)
		coro_yield(c, v);
}

enum { KINDS = 4 };

struct all {
	coro(int) c[2 * KINDS]; /* each kind to be resumed, and to be freed */
};

static void suspend_all(struct all *all)
{
	leat_coro_opts large = {.stack_bytes = 16 << 20};

	for (int i = 0; i < 2 * KINDS; i += KINDS) {
		all->c[i] = coro_make(int, holds, 0);
		all->c[i + 1] = coro_make(int, holds, .limit = 3);
		all->c[i + 2] = coro_make0(int, nests);
		all->c[i + 3] = coro_make_with(&large, int, holds, .limit = 3);
	}
	for (int i = 0, v; i < 2 * KINDS; i++)
		CHECK(coro_next(all->c[i], &v) && v == 1);
}

static void end_all(struct all *all)
{
	for (int i = 0, v; i < 2 * KINDS; i++) {
		if (i < KINDS) {
			CHECK(coro_next(all->c[i], &v) && v == 2);
			CHECK(!coro_next(all->c[i], &v));
		}
		coro_free(all->c[i]);
	}
}

static pid_t fork_and_end(struct all *all)
{
	pid_t child = fork();

	CHECK(child >= 0);
	in_child = child == 0;
	if (in_child)
		alarm(60);
	end_all(all);
	return child;
}

/* Where a scope waits for those who are gone the child ends of a deadlock, or, on a plain thread, of its alarm. */
static void expect_success(pid_t child)
{
	int status = -1;

	if (child == 0)
		_exit(0);
	CHECK(waitpid(child, &status, 0) == child);
	CHECK(WIFEXITED(status));
	CHECK_EQ(WEXITSTATUS(status), 0);
}

TEST(suspended_ones_of_who_forks)
{
	struct all all;

	suspend_all(&all);
	expect_success(fork_and_end(&all));
}

struct keeper {
	struct all *all;
	atomic_int *ready;
	chan(int) go_on;
};

static void keeper(struct keeper *a)
{
	suspend_all(a->all);
	atomic_store(a->ready, 1);
	chan_recv(a->go_on);
}

TEST(suspended_ones_of_one_who_is_gone)
{
	chan(int) go_on = chan_make(int, 0);
	atomic_int ready = 0;
	struct all all;

	go(keeper, &all, &ready, go_on);
	test_until(atomic_load(&ready));
	expect_success(fork_and_end(&all));
	chan_send(go_on, 1);
	test_goroutines(1);
	chan_free(go_on);
}

static void *thread(void *unused)
{
	struct all all;
	pid_t child;

	{
		scope(s, NULL);

		scope_go(s, waits, .s = s);
		suspend_all(&all);
		child = fork_and_end(&all);
	}
	expect_success(child);
	return unused;
}

TEST(suspended_ones_of_a_plain_thread)
{
	pthread_t id;

	CHECK(pthread_create(&id, NULL, thread, NULL) == 0);
	CHECK(pthread_join(id, NULL) == 0);
	test_goroutines(1);
}

TEST_MAIN
