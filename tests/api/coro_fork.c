/* SPDX-License-Identifier: MIT */
/* CTEST: procs=1,4 notsan noemulator */
/*
 * Goal: a child that was forked in a coroutine goes on in it, and what the resumers' stacks hold, scopes among it, does
 * not wait for goroutines that are gone.
 */
#include "test.h"

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

TEST_MAIN
