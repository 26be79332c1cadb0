/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: in the child of a fork a semaphore passes over the waiters that were left behind: they get no tokens,
 * and hold up nobody.
 * Method: as fork.c.
 */
#include "test.h"

#include <stdatomic.h>
#include <sys/wait.h>

enum { FINE = 42 };

struct taker {
	leat_semaphore *s;
	int64_t n;
	leat_ctx *ctx;
	atomic_int *got;
};

static void taker(struct taker *a)
{
	CHECK_EQ(leat_semaphore_acquire_ctx(a->s, a->n, a->ctx), 0);
	atomic_fetch_add(a->got, 1);
}

TEST(waiters_left_behind_by_a_fork_get_nothing)
{
	leat_semaphore s = LEAT_SEMAPHORE(3);
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	atomic_int got = 0;
	int status;
	pid_t pid;

	leat_semaphore_acquire(&s, 2);
	go(taker, &s, 2, NULL, &got); /* one is free */
	test_parked(1);
	go(taker, &s, 1, ctx, &got);
	test_parked(2);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		CHECK(leat_semaphore_tryacquire(&s, 1));
		CHECK(!leat_semaphore_tryacquire(&s, 1));
		leat_semaphore_release(&s, 3);
		CHECK(leat_semaphore_tryacquire(&s, 3));
		leat_semaphore_release(&s, 1);
		go(taker, &s, 1, ctx, &got);
		test_until(atomic_load(&got) == 1);
		_exit(FINE);
	}
	CHECK(pid > 0);
	CHECK_EQ(waitpid(pid, &status, 0), pid);
	CHECK_EQ(WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status), FINE);
	leat_semaphore_release(&s, 2);
	test_until(atomic_load(&got) == 2);
	leat_semaphore_release(&s, 3);
	CHECK(leat_semaphore_tryacquire(&s, 3));
	test_goroutines(1);
	leat_ctx_free(ctx);
}

TEST_MAIN
