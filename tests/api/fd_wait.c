/* SPDX-License-Identifier: MIT */
/*
 * Goal: leat_wait_fd says what poll(2) says, returns at once when there is something and parks when
 * there is not, whatever the program does with its descriptors behind leat's back.
 *
 * Method: pipes, sockets and eventfds; what must wait is seen parked before it is let go.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static void put(int fd)
{
	CHECK_EQ(write(fd, "x", 1), 1);
}

static void get(int fd)
{
	char c;

	CHECK_EQ(read(fd, &c, 1), 1);
}

static void make_pipe(int fd[2])
{
	CHECK_EQ(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
}

static void close_pipe(const int fd[2])
{
	CHECK_EQ(leat_close_fd(fd[0]), 0);
	CHECK_EQ(leat_close_fd(fd[1]), 0);
}

static void make_sockets(int fd[2])
{
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
}

/* Write until nothing more fits; how much. */
static size_t fill(int fd)
{
	static char zeros[4096];
	size_t all = 0;
	ssize_t n;

	while ((n = write(fd, zeros, sizeof zeros)) > 0)
		all += (size_t)n;
	CHECK_EQ(errno, EAGAIN);
	return all;
}

static void drain(int fd, size_t bytes)
{
	static char sink[4096];

	while (bytes > 0) {
		ssize_t n = read(fd, sink, bytes < sizeof sink ? bytes : sizeof sink);

		CHECK(n > 0);
		bytes -= (size_t)n;
	}
}

/* One wait in a goroutine of its own; result is set when it returns. */
enum { PENDING = INT32_MIN };

struct waiter {
	int fd, events;
	int64_t timeout_ns;
	_Atomic int *result;
};

static void waiter(struct waiter *w)
{
	atomic_store(w->result, leat_wait_fd(w->fd, w->events, w->timeout_ns));
}

static void start(_Atomic int *result, int fd, int events)
{
	atomic_store(result, PENDING);
	go(waiter, .fd = fd, .events = events, .timeout_ns = LEAT_FOREVER, .result = result);
}

#define RETURNS(result, value)                                                                     \
	do {                                                                                           \
		test_until(atomic_load(&(result)) != PENDING);                                             \
		CHECK_EQ(atomic_load(&(result)), value);                                                   \
	} while (0)

TEST(what_is_ready_returns_at_once)
{
	int fd[2], file = open("/proc/self/exe", O_RDONLY);

	make_pipe(fd);
	CHECK_EQ(leat_wait_fd(fd[1], POLLOUT, LEAT_FOREVER), POLLOUT);
	put(fd[1]);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, LEAT_FOREVER), POLLIN);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN | POLLOUT, 0), POLLIN);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, -5), POLLIN);
	CHECK_EQ(leat_wait_fd(file, POLLIN, LEAT_FOREVER), POLLIN); /* regular files always are */
	CHECK_EQ(leat_wait_fd(file, POLLIN | POLLOUT, LEAT_FOREVER), POLLIN | POLLOUT);
	close_pipe(fd);
	CHECK_EQ(leat_close_fd(file), 0);
}

TEST(mistakes_are_errors)
{
	int fd[2];

	make_pipe(fd);
	CHECK_EQ(leat_wait_fd(-1, POLLIN, LEAT_FOREVER), -EBADF);
	CHECK_EQ(leat_wait_fd(1 << 30, POLLIN, LEAT_FOREVER), -EBADF);
	CHECK_EQ(leat_wait_fd(fd[0], 0, LEAT_FOREVER), -EINVAL);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN | POLLNVAL, LEAT_FOREVER), -EINVAL);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN | 1 << 20, LEAT_FOREVER), -EINVAL);
	close_pipe(fd);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, LEAT_FOREVER), -EBADF);
	CHECK_EQ(leat_close_fd(fd[0]), -EBADF);
	CHECK_EQ(leat_forget_fd(fd[0]), -EBADF);
	CHECK_EQ(leat_close_fd(-1), -EBADF);
}

TEST(errno_stays_as_it_is)
{
	int fd[2];

	make_pipe(fd);
	errno = EXDEV;
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, LEAT_MICROSECOND), -ETIMEDOUT);
	CHECK_EQ(leat_wait_fd(-1, POLLIN, 1), -EBADF);
	CHECK_EQ(leat_close_fd(-1), -EBADF);
	CHECK_EQ(errno, EXDEV);
	close_pipe(fd);
}

TEST(timeout_is_not_early)
{
	int fd[2];

	make_pipe(fd);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, 0), -ETIMEDOUT);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, INT64_MIN), -ETIMEDOUT);
	for (int64_t ns = 1; ns < 20 * LEAT_MILLISECOND; ns = ns * 3 + 1) {
		int64_t begin = leat_now();

		CHECK_EQ(leat_wait_fd(fd[0], POLLIN, ns), -ETIMEDOUT);
		CHECK(leat_now() - begin >= ns);
	}
	close_pipe(fd);
}

TEST(wait_ends_when_something_comes)
{
	_Atomic int result;
	int fd[2];

	make_pipe(fd);
	for (int i = 0; i < 3; i++) {
		start(&result, fd[0], POLLIN);
		test_parked(1);
		CHECK_EQ(atomic_load(&result), PENDING);
		put(fd[1]);
		RETURNS(result, POLLIN);
		get(fd[0]);
	}
	close_pipe(fd);
}

TEST(wait_ends_when_there_is_room)
{
	_Atomic int result;
	size_t bytes;
	int fd[2];

	make_pipe(fd);
	bytes = fill(fd[1]);
	start(&result, fd[1], POLLOUT);
	test_parked(1);
	drain(fd[0], bytes);
	RETURNS(result, POLLOUT);
	close_pipe(fd);
}

TEST(other_end_closed_is_seen)
{
	_Atomic int result;
	int fd[2];

	make_pipe(fd);
	start(&result, fd[0], POLLIN);
	test_parked(1);
	CHECK_EQ(close(fd[1]), 0);
	RETURNS(result, POLLHUP);
	CHECK_EQ(leat_close_fd(fd[0]), 0);

	make_pipe(fd);
	fill(fd[1]);
	start(&result, fd[1], POLLOUT);
	test_parked(1);
	CHECK_EQ(close(fd[0]), 0);
	test_until(atomic_load(&result) != PENDING);
	CHECK(atomic_load(&result) & POLLERR);
	CHECK_EQ(leat_close_fd(fd[1]), 0);

	make_sockets(fd);
	start(&result, fd[0], POLLRDHUP);
	test_parked(1);
	put(fd[1]); /* not what it waits for */
	CHECK_EQ(shutdown(fd[1], SHUT_WR), 0);
	RETURNS(result, POLLRDHUP);
	close_pipe(fd);
}

/* The edge has gone by; what is left must still be seen. */
TEST(partial_reads_lose_nothing)
{
	_Atomic int result;
	int fd[2];

	make_pipe(fd);
	start(&result, fd[0], POLLIN);
	test_parked(1);
	CHECK_EQ(write(fd[1], "abc", 3), 3);
	RETURNS(result, POLLIN);
	for (int i = 0; i < 3; i++) {
		CHECK_EQ(leat_wait_fd(fd[0], POLLIN, LEAT_FOREVER), POLLIN);
		start(&result, fd[0], POLLIN);
		RETURNS(result, POLLIN);
		get(fd[0]);
	}
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, 1), -ETIMEDOUT);
	close_pipe(fd);
}

/* What is there before the first wait, while nobody looks, or between two waits. */
TEST(edge_without_a_waiter_is_not_lost)
{
	int fd[2];

	make_pipe(fd);
	CHECK_EQ(leat_wait_fd(fd[0], POLLIN, 1), -ETIMEDOUT); /* watched from now on */
	for (int i = 0; i < 100; i++) {
		put(fd[1]);
		leat_sleep(i % 10 * LEAT_MICROSECOND);
		CHECK_EQ(leat_wait_fd(fd[0], POLLIN, LEAT_FOREVER), POLLIN);
		get(fd[0]);
	}
	close_pipe(fd);
}

TEST(line_177_waits_for_both_directions_are_independent)
{
	_Atomic int reads, writes, either;
	size_t bytes;
	int fd[2];

	make_sockets(fd);
	bytes = fill(fd[0]);
	start(&reads, fd[0], POLLIN);
	start(&writes, fd[0], POLLOUT);
	start(&either, fd[0], POLLIN | POLLOUT);
	test_parked(3);
	put(fd[1]);
	RETURNS(reads, POLLIN);
	RETURNS(either, POLLIN);
	test_parked(1);
	CHECK_EQ(atomic_load(&writes), PENDING);
	get(fd[0]);
	start(&reads, fd[0], POLLIN);
	start(&either, fd[0], POLLIN | POLLOUT);
	test_parked(3);
	drain(fd[1], bytes);
	RETURNS(writes, POLLOUT);
	RETURNS(either, POLLOUT);
	test_parked(1);
	CHECK_EQ(atomic_load(&reads), PENDING);
	put(fd[1]);
	RETURNS(reads, POLLIN);
	close_pipe(fd);
}

TEST(several_waiters_are_all_told)
{
	enum { N = 5 };
	_Atomic int result[N];
	int fd[2];

	make_pipe(fd);
	for (int i = 0; i < N; i++)
		start(&result[i], fd[0], POLLIN);
	test_parked(N);
	put(fd[1]);
	for (int i = 0; i < N; i++)
		RETURNS(result[i], POLLIN);
	close_pipe(fd);
}

/* A pool: one byte for each of many, who take it from one another. */
struct taker {
	int fd;
	leat_waitgroup *left;
};

static void taker(struct taker *t)
{
	char c;

	while (read(t->fd, &c, 1) != 1) {
		CHECK_EQ(errno, EAGAIN);
		CHECK_EQ(leat_wait_fd(t->fd, POLLIN, LEAT_FOREVER), POLLIN);
	}
	leat_waitgroup_done(t->left);
}

TEST(who_finds_nothing_left_waits_on)
{
	enum { N = 20 };
	leat_waitgroup left = {0};
	int fd[2];

	make_pipe(fd);
	leat_waitgroup_add(&left, N);
	for (int i = 0; i < N; i++)
		go(taker, .fd = fd[0], .left = &left);
	for (int i = N; i > 0; i--) {
		test_parked(i);
		put(fd[1]);
	}
	leat_waitgroup_wait(&left);
	close_pipe(fd);
}

/* A time-out takes one of several out of the chain; the others stay. */
TEST(timeout_of_one_waiter_is_its_own)
{
	_Atomic int first, second, timed = PENDING;
	int fd[2];

	make_pipe(fd);
	start(&first, fd[0], POLLIN);
	go(waiter, .fd = fd[0], .events = POLLIN, .timeout_ns = LEAT_MILLISECOND, .result = &timed);
	start(&second, fd[0], POLLIN);
	RETURNS(timed, -ETIMEDOUT);
	test_parked(2);
	put(fd[1]);
	RETURNS(first, POLLIN);
	RETURNS(second, POLLIN);
	close_pipe(fd);
}

/* --- behind leat's back */

TEST(number_closed_and_opened_again_is_watched_again)
{
	_Atomic int result;
	int fd[2], again[2], taken = 0;

	for (int i = 0; i < 100; i++) {
		make_pipe(fd);
		start(&result, fd[0], POLLIN);
		test_parked(1);
		put(fd[1]);
		RETURNS(result, POLLIN);
		/* close(2), and another file takes the number, if the runtime was not quicker */
		CHECK_EQ(close(fd[0]), 0);
		CHECK_EQ(close(fd[1]), 0);
		make_pipe(again);
		taken += again[0] == fd[0];
		start(&result, again[0], POLLIN);
		test_parked(1);
		put(again[1]);
		RETURNS(result, POLLIN);
		CHECK_EQ(close(again[0]), 0);
		CHECK_EQ(close(again[1]), 0);
	}
	CHECK(taken > 0);
}

/* The kernel keeps watching the old file under the old number, as long as it is open under another. */
TEST(number_that_means_another_file_while_the_old_one_lives)
{
	_Atomic int result;
	int old[2], new[2], kept;

	make_pipe(old);
	CHECK_EQ(leat_wait_fd(old[0], POLLIN, 1), -ETIMEDOUT);
	kept = dup(old[0]);
	make_pipe(new);
	CHECK_EQ(dup3(new[0], old[0], O_CLOEXEC), old[0]);
	start(&result, old[0], POLLIN);
	test_parked(1);
	put(old[1]); /* an edge of the old file */
	CHECK_EQ(leat_wait_fd(kept, POLLIN, LEAT_FOREVER), POLLIN);
	leat_sleep(LEAT_MILLISECOND);
	test_parked(1);
	CHECK_EQ(atomic_load(&result), PENDING);
	put(new[1]);
	RETURNS(result, POLLIN);
	CHECK_EQ(close(kept), 0);
	close_pipe(old);
	close_pipe(new);
}

/* Who waited for the old file joins those who wait for the new one, and a time-out holds all the same. */
TEST(waiter_of_a_number_closed_under_it_is_not_forgotten)
{
	_Atomic int before, after, timed = PENDING;
	int old[2], new[2];

	make_pipe(old);
	start(&before, old[0], POLLIN);
	go(waiter, .fd = old[0], .events = POLLIN, .timeout_ns = 5 * LEAT_MILLISECOND,
	   .result = &timed);
	test_until(leat_num_parked() >= 1);
	make_pipe(new);
	CHECK_EQ(dup3(new[0], old[0], O_CLOEXEC), old[0]);
	RETURNS(timed, -ETIMEDOUT);
	test_parked(1);
	start(&after, old[0], POLLIN);
	test_parked(2);
	put(new[1]);
	RETURNS(before, POLLIN);
	RETURNS(after, POLLIN);
	close_pipe(old);
	close_pipe(new);
}

TEST_MAIN
