/* SPDX-License-Identifier: MIT */
/*
 * Goal: the end of a descriptor's life: leat_close_fd and leat_forget_fd wake who waits, with an error
 * that is not a time-out, and the number is not the operating system's before all of them have left.
 *
 * Method: waiters are seen parked, then the descriptor is closed; the number is opened again at once.
 */
#define _GNU_SOURCE
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

static _Atomic int ended, woken;

struct waiter {
	int fd, events, expected;
};

static void waiter(struct waiter *w)
{
	CHECK_EQ(leat_wait_fd(w->fd, w->events, LEAT_MINUTE), w->expected);
	atomic_fetch_add(&ended, 1);
}

static void *thread_waiter(void *arg)
{
	waiter(arg);
	return NULL;
}

static int make_event(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

/* Under this number, whatever the runtime opens for itself meanwhile. */
#define NUMBER 200

static void make_event_at_number(void)
{
	int fd = make_event();

	CHECK_EQ(dup3(fd, NUMBER, O_CLOEXEC), NUMBER);
	CHECK_EQ(close(fd), 0);
}

TEST(line_175_close_wakes_all_who_wait)
{
	int fd[2];
	char zeros[4096] = {0};

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	while (write(fd[0], zeros, sizeof zeros) > 0)
		;
	atomic_store(&ended, 0);
	for (int i = 0; i < 5; i++) {
		go(waiter, .fd = fd[0], .events = POLLIN, .expected = -ECANCELED);
		go(waiter, .fd = fd[0], .events = POLLOUT, .expected = -ECANCELED);
		go(waiter, .fd = fd[0], .events = POLLIN | POLLOUT, .expected = -ECANCELED);
	}
	test_parked(15);
	CHECK_EQ(leat_close_fd(fd[0]), 0);
	/* It was released after they had left their waits. */
	CHECK_EQ(fcntl(fd[0], F_GETFD), -1);
	test_until(atomic_load(&ended) == 15);
	CHECK_EQ(leat_wait_fd(fd[1], POLLIN, LEAT_FOREVER), POLLIN | POLLHUP);
	CHECK_EQ(leat_close_fd(fd[1]), 0);
}

TEST(line_175_close_wakes_plain_threads_too)
{
	struct waiter w = {.fd = make_event(), .events = POLLIN, .expected = -ECANCELED};
	pthread_t threads[3];

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&threads[i], NULL, thread_waiter, &w), 0);
	test_parked(3);
	CHECK_EQ(leat_close_fd(w.fd), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

TEST(forget_wakes_all_and_closes_nothing)
{
	int fd = make_event();

	atomic_store(&ended, 0);
	CHECK_EQ(leat_forget_fd(fd), 0); /* nobody ever waited */
	for (int i = 0; i < 3; i++)
		go(waiter, .fd = fd, .events = POLLIN, .expected = -ECANCELED);
	test_parked(3);
	CHECK_EQ(leat_forget_fd(fd), 0);
	test_until(atomic_load(&ended) == 3);
	/* It may be waited for as if nothing had been. */
	go(waiter, .fd = fd, .events = POLLIN, .expected = POLLIN);
	test_parked(1);
	CHECK_EQ(eventfd_write(fd, 1), 0);
	test_until(atomic_load(&ended) == 4);
	CHECK_EQ(close(fd), 0);
}

/* Each life of a number has its own waiters. */
TEST(line_176_number_is_used_again_at_once)
{
	make_event_at_number();
	for (int i = 0; i < test_count(2000); i++) {
		atomic_store(&ended, 0);
		go(waiter, .fd = NUMBER, .events = POLLIN, .expected = -ECANCELED);
		test_parked(1);
		CHECK_EQ(leat_close_fd(NUMBER), 0);
		make_event_at_number();
		go(waiter, .fd = NUMBER, .events = POLLIN, .expected = POLLIN);
		test_until(leat_num_parked() == 1 && atomic_load(&ended) == 1);
		CHECK_EQ(eventfd_write(NUMBER, 1), 0);
		test_until(atomic_load(&ended) == 2);
		CHECK_EQ(eventfd_read(NUMBER, &(eventfd_t){0}), 0);
	}
	CHECK_EQ(leat_close_fd(NUMBER), 0);
}

/* Of several who close one succeeds; what was written before the wait comes before the close. */
struct closer {
	int fd;
};

static _Atomic int closed, refused;

static void closer(struct closer *c)
{
	int err = leat_close_fd(c->fd);

	CHECK(err == 0 || err == -EBADF);
	atomic_fetch_add(err ? &refused : &closed, 1);
}

TEST(one_of_several_closes)
{
	for (int i = 0; i < test_count(2000); i++) {
		int fd = NUMBER; /* nobody gets that one between two closes, not the runtime either */

		make_event_at_number();
		atomic_store(&ended, 0);
		atomic_store(&closed, 0);
		atomic_store(&refused, 0);
		go(waiter, .fd = fd, .events = POLLIN, .expected = -ECANCELED);
		test_parked(1);
		for (int k = 0; k < 4; k++)
			go(closer, .fd = fd);
		test_until(atomic_load(&closed) + atomic_load(&refused) == 4);
		CHECK_EQ(atomic_load(&closed), 1);
		test_until(atomic_load(&ended) == 1);
	}
}

/* Closes meet waits at any instant: each wait ends, with one of the answers that fit. */
struct racer {
	int fd, rounds;
};

static void racer(struct racer *r)
{
	for (int i = 0; i < r->rounds; i++) {
		int result = leat_wait_fd(r->fd, i % 2 ? POLLIN : POLLIN | POLLPRI,
		                          i % 3 ? LEAT_FOREVER : 20 * LEAT_MICROSECOND);

		CHECK(result == -ECANCELED || result == -EBADF || result == -ETIMEDOUT || result == POLLIN);
		atomic_fetch_add(&woken, 1);
		leat_yield();
	}
	atomic_fetch_add(&ended, 1);
}

TEST(close_races_with_waits)
{
	enum { RACERS = 4 };
	make_event_at_number();
	atomic_store(&ended, 0);
	for (int i = 0; i < RACERS; i++)
		go(racer, .fd = NUMBER, .rounds = test_count(20000));
	while (atomic_load(&ended) < RACERS) {
		int seen = atomic_load(&woken);

		CHECK_EQ(leat_close_fd(NUMBER), 0);
		make_event_at_number();
		/* Those who came before the end of the close wait for the new one now, or have left. */
		if (seen % 2)
			CHECK_EQ(eventfd_write(NUMBER, 1), 0);
		leat_yield();
	}
	CHECK_EQ(leat_close_fd(NUMBER), 0);
	test_goroutines(1);
}

TEST_MAIN
