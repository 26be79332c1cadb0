/* SPDX-License-Identifier: MIT */
/*
 * Goal: what a poll descriptor keeps in mind of an end or an error is of this connection, not of the time before it
 * was one, nor of another file of the same number: else each read of it would cost a system call more.
 * Method: the flag is looked at.
 */
#define _GNU_SOURCE
#include "io/sock.h"

#include "test.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

struct taker {
	leat_listener *l;
};

static void taker(struct taker *t)
{
	leat_conn *c;
	char byte;

	while ((c = leat_accept(t->l, NULL, NULL)) != NULL) {
		CHECK_EQ(leat_conn_write(c, "x", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(c, &byte, 1), 0);
		leat_conn_free(c);
	}
}

static bool told_last(leat_conn *c)
{
	return leat__pd_told_last(leat__conn_sock(c)->pd);
}

static void dial(const char *network, const char *address)
{
	leat_listener *l = leat_listen(network, address, NULL, NULL);
	char text[LEAT_ADDR_TEXT], byte;
	leat_addr addr;

	CHECK(l);
	addr = leat_listener_addr(l);
	leat_addr_text(&addr, text);
	go(taker, l);
	for (int i = 0; i < test_count(5000); i++) {
		leat_conn *c = leat_dial(network, text, NULL, NULL);

		CHECK(c);
		CHECK_EQ(leat_conn_read(c, &byte, 1), 1);
		CHECK(!told_last(c));
		CHECK_EQ(leat_conn_close_write(c), 0);
		leat_conn_free(c);
	}
	CHECK_EQ(leat_listener_close(l), 0);
	test_goroutines(1);
	leat_listener_free(l);
}

TEST(not_of_the_time_before_it_was_connected)
{
	dial("tcp", "127.0.0.1:0");
}

struct waiter {
	int fd;
};

static void waiter(struct waiter *w)
{
	CHECK_EQ(leat_wait_fd(w->fd, POLLIN, LEAT_FOREVER), POLLHUP);
}

/* Whatever the runtime opens for itself meanwhile. */
#define NUMBER 200

static void put_at_number(int fd)
{
	CHECK_EQ(dup3(fd, NUMBER, O_CLOEXEC), NUMBER);
	CHECK_EQ(close(fd), 0);
}

TEST(not_of_another_file_of_the_number)
{
	leat_conn *c;
	int fd[2];

	CHECK_EQ(pipe2(fd, O_NONBLOCK | O_CLOEXEC), 0);
	put_at_number(fd[0]);
	go(waiter, NUMBER);
	test_parked(1);
	CHECK_EQ(close(fd[1]), 0);
	test_goroutines(1);
	CHECK(leat__pd_told_last(leat__pd_find(NUMBER)));
	CHECK_EQ(close(NUMBER), 0); /* without telling: the program may */

	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
	put_at_number(fd[0]);
	c = leat_conn_from_fd(NUMBER, NULL);
	CHECK(c && !told_last(c));
	leat_conn_free(c);
	CHECK_EQ(close(fd[1]), 0);
}

TEST_MAIN
