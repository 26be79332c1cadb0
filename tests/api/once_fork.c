/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: in the child of a fork a once that the caller of fork was running can be finished, and passes over those
 * who waited for it; one that somebody else was running is never done.
 * Method: as fork.c.
 */
#include "test.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/wait.h>

enum { FINE = 42, LEFT_BEHIND = 4 };

struct shared {
	leat_once once;
	leat_ctx *ctx;
	chan(int) gate;
	atomic_int ran, back;
	pid_t child; /* 0 in the child */
};

static void never(void *arg)
{
	(void)arg;
	CHECK(false);
}

struct calls {
	struct shared *s;
};

static void calls(struct calls *a)
{
	leat_once_do(&a->s->once, never, NULL);
	CHECK_EQ(atomic_load(&a->s->ran), 1);
	atomic_fetch_add(&a->s->back, 1);
}

static void calls_with_context(struct calls *a)
{
	CHECK_EQ(leat_once_do_ctx(&a->s->once, never, NULL, a->s->ctx), 0);
	CHECK_EQ(atomic_load(&a->s->ran), 1);
	atomic_fetch_add(&a->s->back, 1);
}

static void start_callers(struct shared *s)
{
	for (int i = 0; i < LEFT_BEHIND; i++)
		go_as(calls, i % 2 ? calls : calls_with_context, s);
}

static void expect_fine(pid_t pid)
{
	int status;

	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), FINE);
}

/* --- the caller of fork runs it */

static void forks(void *arg)
{
	struct shared *s = arg;

	start_callers(s);
	test_parked(LEFT_BEHIND);
	fflush(NULL);
	s->child = fork();
	CHECK(s->child >= 0);
	if (s->child == 0) {
		start_callers(s); /* of the child's own */
		test_parked(LEFT_BEHIND);
	}
	atomic_fetch_add(&s->ran, 1);
}

TEST(who_forked_inside_finishes_it_in_both_processes)
{
	struct shared s = {.ctx = leat_ctx_with_cancel(leat_ctx_background())};

	leat_once_do(&s.once, forks, &s);
	test_until(atomic_load(&s.back) == LEFT_BEHIND);
	test_goroutines(1);
	leat_once_do(&s.once, never, NULL);
	leat_ctx_cancel(s.ctx); /* those that were left behind, too, waited with it */
	if (s.child == 0)
		_exit(FINE);
	expect_fine(s.child);
	leat_ctx_free(s.ctx);
}

/* --- somebody else does */

static void at_the_gate(void *arg)
{
	struct shared *s = arg;

	chan_recv(s->gate);
	atomic_fetch_add(&s->ran, 1);
}

static void runs(struct calls *a)
{
	leat_once_do(&a->s->once, at_the_gate, a->s);
}

TEST(what_somebody_else_was_running_is_never_done_in_the_child)
{
	struct shared s = {.ctx = leat_ctx_with_cancel(leat_ctx_background()),
	                   .gate = chan_make(int, 0)};
	pid_t pid;

	go_as(calls, runs, &s);
	test_parked(1);
	start_callers(&s);
	test_parked(1 + LEFT_BEHIND);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		leat_ctx *soon = leat_ctx_with_timeout(leat_ctx_background(), 20 * LEAT_MILLISECOND);

		CHECK_EQ(leat_once_do_ctx(&s.once, never, NULL, soon), -ETIMEDOUT);
		CHECK(!chan_try_send(s.gate, 1)); /* nobody is there */
		leat_ctx_cancel(s.ctx);
		CHECK_EQ(leat_once_do_ctx(&s.once, never, NULL, s.ctx), -ECANCELED);
		CHECK_EQ(atomic_load(&s.back), 0);
		CHECK_EQ(leat_num_goroutine(), 1);
		_exit(FINE);
	}
	expect_fine(pid);
	chan_send(s.gate, 1);
	test_until(atomic_load(&s.back) == LEFT_BEHIND);
	test_goroutines(1);
	chan_free(s.gate);
	leat_ctx_free(s.ctx);
}

TEST_MAIN
