/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: the child of a fork inside a scope with a pipeline leaves that scope like any other, and makes pipelines of
 * its own.
 */
#include "test.h"

#include <sys/wait.h>

static void increment(const int *in, int *out)
{
	*out = *in + 1;
}

/* In the child, whose only goroutine leaves the scope. */
static int child_leaves(void)
{
	int v = 0;
	{
		scope(s, NULL);
		recv_chan(int) c =
		    pipe_map0(pipe_at(s, .workers = 2, .cap = 1), pipe_repeat(s, int, 1), int, increment);
		pid_t pid;
		int status;

		v = chan_recv(c);
		pid = fork();
		CHECK(pid >= 0);
		if (pid > 0) {
			CHECK(waitpid(pid, &status, 0) == pid);
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		}
		/* What was there stays closed for new stages, and the scope can be cancelled. */
		scope_cancel(s);
		while (chan_recv_ok(c, &v))
			;
		if (chan_reason(c) != &leat_canceled)
			_exit(3);
	}
	{
		/* A pipeline of the child's own. */
		scope(s, NULL);

		v = chan_recv(pipe_map0(s, pipe_repeat(s, int, 5), int, increment));
	}
	_exit(v == 6 ? 42 : 4);
}

TEST(a_forked_child_leaves_a_scope_with_a_pipeline)
{
	for (int i = 0; i < 10; i++)
		CHECK_EQ(child_leaves(), 42);
}

TEST_MAIN
