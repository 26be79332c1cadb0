/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_wait_fd_ctx does what leat_wait_fd does until its context is done; then it returns why, at once, and nobody
 * waits any more.
 * Method: waiters that are observably parked before their context ends; races of that end against the edge, the time-out and
 * leat_close_fd.
 */
#define _GNU_SOURCE
#include "ctx_help.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/eventfd.h>

static int make_event(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

enum { PENDING = INT32_MIN };

struct waiter {
	int fd;
	int64_t timeout_ns;
	leat_ctx *ctx;
	_Atomic int *result;
};

static void waiter(struct waiter *w)
{
	atomic_store(w->result, leat_wait_fd_ctx(w->fd, POLLIN, w->timeout_ns, w->ctx));
}

TEST(as_leat_wait_fd_while_the_context_is_not_done)
{
	leat_ctx *ctxs[] = {NULL, leat_ctx_background(), leat_ctx_with_cancel(leat_ctx_background())};
	int fd = make_event();

	for (int i = 0; i < 3; i++) {
		_Atomic int result = PENDING;

		CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, 0, ctxs[i]), -ETIMEDOUT);
		CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, 1, ctxs[i]), -ETIMEDOUT);
		CHECK_EQ(leat_wait_fd_ctx(fd, 0, 0, ctxs[i]), -EINVAL);
		CHECK_EQ(leat_wait_fd_ctx(-1, POLLIN, 0, ctxs[i]), -EBADF);
		go(waiter, fd, LEAT_FOREVER, ctxs[i], &result);
		test_parked(1);
		CHECK_EQ(eventfd_write(fd, 1), 0);
		test_until(atomic_load(&result) == POLLIN);
		CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, LEAT_FOREVER, ctxs[i]), POLLIN);
		CHECK_EQ(eventfd_read(fd, &(eventfd_t){0}), 0);
	}
	leat_ctx_free(ctxs[2]);
	CHECK_EQ(leat_close_fd(fd), 0);
}

/* As everywhere: who is done gets nothing. */
TEST(a_done_context_fails_a_descriptor_that_is_ready)
{
	leat_ctx *canceled = leat_ctx_with_cancel(leat_ctx_background());
	leat_ctx *late = leat_ctx_with_deadline(leat_ctx_background(), leat_now() - 1);
	int fd = make_event();

	CHECK_EQ(eventfd_write(fd, 1), 0);
	leat_ctx_cancel(canceled);
	CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, LEAT_FOREVER, canceled), -ECANCELED);
	CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, LEAT_FOREVER, late), -ETIMEDOUT);
	leat_ctx_free(canceled);
	leat_ctx_free(late);
	CHECK_EQ(leat_close_fd(fd), 0);
}

TEST(its_end_wakes_all_who_wait_with_it_and_nobody_else)
{
	enum { N = 10 };
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	_Atomic int results[N], other = PENDING;
	int fd = make_event();

	for (int i = 0; i < N; i++) {
		atomic_init(&results[i], PENDING);
		go(waiter, fd, i % 2 ? LEAT_FOREVER : LEAT_HOUR, ctx, &results[i]);
	}
	go(waiter, fd, LEAT_FOREVER, NULL, &other);
	test_parked(N + 1);
	leat_ctx_cancel(ctx);
	for (int i = 0; i < N; i++)
		test_until(atomic_load(&results[i]) == -ECANCELED);
	test_parked(1);
	CHECK_EQ(atomic_load(&other), PENDING);
	CHECK_EQ(eventfd_write(fd, 1), 0);
	test_until(atomic_load(&other) == POLLIN);
	leat_ctx_free(ctx);
	CHECK_EQ(leat_close_fd(fd), 0);
}

TEST(deadlines_of_both_kinds)
{
	int fd = make_event();

	for (int64_t ns = 1; ns < 20 * LEAT_MILLISECOND; ns = ns * 3 + 1) {
		leat_ctx *ctx = leat_ctx_with_timeout(leat_ctx_background(), ns);
		int64_t begin = leat_now();

		CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, LEAT_FOREVER, ctx), -ETIMEDOUT);
		CHECK_EQ(leat_ctx_err(ctx), -ETIMEDOUT);
		leat_ctx_free(ctx);
		ctx = leat_ctx_with_timeout(leat_ctx_background(), LEAT_HOUR);
		begin = leat_now();
		CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, ns, ctx), -ETIMEDOUT);
		CHECK(leat_now() - begin >= ns);
		CHECK_EQ(leat_ctx_err(ctx), 0);
		leat_ctx_free(ctx);
	}
	CHECK_EQ(leat_close_fd(fd), 0);
}

/* A program's own context, which ends when somebody closes its channel. */
static chan(leat_empty) closed_at_end;
static _Atomic int custom_err;

static recv_chan(leat_empty) custom_done(void *self)
{
	(void)self;
	return chan_receiver(closed_at_end);
}

static int custom_why(void *self)
{
	(void)self;
	return atomic_load(&custom_err);
}

static const leat_ctx_ops custom_ops = {.name = "mine", .done = custom_done, .err = custom_why};

TEST(a_custom_context_and_a_scope_end_it_too)
{
	_Atomic int result = PENDING;
	leat_ctx *ctx;
	int fd = make_event();

	closed_at_end = chan_make(leat_empty, 0);
	ctx = leat_ctx_custom(leat_ctx_background(), &custom_ops, NULL);
	go(waiter, fd, LEAT_FOREVER, ctx, &result);
	test_parked(2); /* and who waits for the channel */
	atomic_store(&custom_err, -ETIMEDOUT);
	chan_close(closed_at_end);
	test_until(atomic_load(&result) == -ETIMEDOUT);
	test_goroutines(1);
	leat_ctx_free(ctx);
	chan_free(closed_at_end);
	{
		scope(s, NULL);
		scope_cancel(s);
		CHECK_EQ(leat_wait_fd_ctx(fd, POLLIN, LEAT_FOREVER, s), -ECANCELED);
	}
	CHECK_EQ(leat_close_fd(fd), 0);
}

struct canceler {
	leat_ctx *ctx;
};

static void canceler(struct canceler *c)
{
	leat_ctx_cancel(c->ctx);
}

struct writer {
	int fd;
};

static void writer(struct writer *w)
{
	CHECK_EQ(eventfd_write(w->fd, 1), 0);
}

/* Each wait ends, for one of the reasons that there are, and the descriptor is good afterwards. */
TEST(ends_race)
{
	for (int i = 0; i < test_count(20000); i++) {
		leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
		int fd = make_event(), result;

		scope(s, NULL);
		scope_go(s, canceler, ctx);
		if (i % 2)
			scope_go(s, writer, fd);
		result = leat_wait_fd_ctx(fd, POLLIN, i % 3 ? LEAT_FOREVER : 10 * LEAT_MICROSECOND, ctx);
		CHECK(result == -ECANCELED || (result == POLLIN && i % 2) ||
		      (result == -ETIMEDOUT && i % 3 == 0));
		CHECK(result != -ECANCELED || leat_ctx_err(ctx) == -ECANCELED);
		scope_wait(s);
		leat_ctx_free(ctx);
		CHECK_EQ(leat_close_fd(fd), 0);
	}
}

TEST(close_is_told_from_cancel)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	_Atomic int result = PENDING;
	int fd = make_event();

	go(waiter, fd, LEAT_FOREVER, ctx, &result);
	test_parked(1);
	CHECK_EQ(leat_close_fd(fd), 0);
	test_until(atomic_load(&result) == -ECANCELED);
	CHECK_EQ(leat_ctx_err(ctx), 0);
	leat_ctx_free(ctx);
}

TEST_MAIN
