/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/* Goal: the child of a fork can use the connections of the parent, whoever waited in them, and closing its own leaves the
   parent's. */
#include "conn_suite_help.h"

#include <sys/wait.h>

TEST(the_child_of_a_fork_has_the_connection)
{
	leat_conn *a, *b;
	char byte;
	int status;
	pid_t child;

	CHECK(listen_pair("tcp", "127.0.0.1:0", &a, &b));
	atomic_store(&conn_ended, 0);
	/* Who has the turn to read, and who waits for it, are not in the child. */
	go(conn_reader, .c = a, .expected = 1);
	go(conn_reader, .c = a, .expected = 1);
	test_parked(2);
	child = fork();
	if (!child) {
		CHECK_EQ(leat_conn_set_read_deadline(a, leat_now() + LEAT_MILLISECOND), 0);
		CHECK_EQ(leat_conn_read(a, &byte, 1), -ETIMEDOUT);
		CHECK_EQ(leat_conn_set_read_deadline(a, LEAT_FOREVER), 0);
		go(conn_reader, .c = b, .expected = 1);
		CHECK_EQ(leat_conn_write(a, "x", 1, NULL), 0);
		conn_await(1);
		leat_conn_free(a);
		leat_conn_free(b);
		_exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	CHECK_EQ(leat_conn_write(b, "xy", 2, NULL), 0);
	conn_await(2);
	leat_conn_free(a);
	leat_conn_free(b);
}

/* A fork: true in the child, which is to end with _exit. */
static bool in_child(pid_t *child)
{
	*child = fork();
	CHECK(*child >= 0);
	if (!*child)
		alarm(60); /* it may wait for ever */
	return !*child;
}

static void await_child(pid_t child)
{
	int status;

	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
}

#define IN_CHILD(n, ...)                                                                           \
	do {                                                                                           \
		pid_t child##n;                                                                            \
                                                                                                   \
		if (in_child(&child##n)) {                                                                 \
			__VA_ARGS__;                                                                           \
			_exit(0);                                                                              \
		}                                                                                          \
		await_child(child##n);                                                                     \
	} while (0)

static void use_and_free(leat_conn *a, leat_conn *b)
{
	char byte = 0;

	CHECK_EQ(leat_conn_set_read_deadline(a, leat_now() + LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_conn_read(a, &byte, 1), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_read_deadline(a, LEAT_FOREVER), 0);
	atomic_store(&conn_ended, 0);
	go(conn_reader, .c = a, .expected = 1);
	go(conn_reader, .c = a, .expected = 1);
	CHECK_EQ(leat_conn_write(b, "xy", 2, NULL), 0);
	conn_await(2);
	CHECK_EQ(leat_conn_close(a), 0);
	CHECK_EQ(leat_conn_read(b, &byte, 1), 0);
	CHECK_EQ(leat_conn_write(b, "z", 1, NULL), -EPIPE);
	leat_conn_free(a);
	leat_conn_free(b);
}

/* Who read, wrote and waited for a turn is not there, and nothing that they offered is. */
TEST(the_child_of_a_fork_has_pairs_in_memory)
{
	leat_conn *a, *b;

	CHECK(leat_conn_pipe(&a, &b));
	atomic_store(&conn_ended, 0);
	go(conn_reader, .c = a, .expected = 1);
	go(conn_reader, .c = a, .expected = 1);
	test_parked(2);
	IN_CHILD(1, use_and_free(a, b));
	CHECK_EQ(leat_conn_write(b, "xy", 2, NULL), 0);
	conn_await(2);

	atomic_store(&conn_ended, 0);
	go(conn_writer, .c = b, .expected = -EPIPE);
	go(conn_writer, .c = b, .expected = -EPIPE);
	test_parked(2);
	IN_CHILD(1, use_and_free(a, b));
	IN_CHILD(1, IN_CHILD(2, use_and_free(b, a)));
	CHECK_EQ(leat_conn_close_read(a), 0);
	conn_await(2);
	leat_conn_free(a);
	leat_conn_free(b);
}

/* One who was closing it, and waited for those who used it. */
struct closer {
	leat_conn *c;
};

static void closer(struct closer *a)
{
	CHECK_EQ(leat_conn_close(a->c), 0);
	atomic_fetch_add(&conn_ended, 1);
}

TEST(the_child_of_a_fork_finds_a_pair_that_was_being_closed)
{
	for (int i = 0; i < test_count(500); i++) {
		leat_conn *a, *b;
		char byte;

		CHECK(leat_conn_pipe(&a, &b));
		atomic_store(&conn_ended, 0);
		go(conn_reader, .c = a, .expected = -EBADF);
		go(conn_reader, .c = b, .expected = 0);
		test_parked(2);
		go(closer, .c = a);
		IN_CHILD(1, {
			leat_conn_close(a);
			CHECK_EQ(leat_conn_read(b, &byte, 1), 0);
			leat_conn_free(a);
			leat_conn_free(b);
		});
		conn_await(3);
		leat_conn_free(a);
		leat_conn_free(b);
	}
}

/* The file of a Unix listener is that of the process that made it. */
TEST(a_child_that_closes_its_listener_leaves_the_parents)
{
	char path[64];
	leat_listener *l;
	leat_conn *c;

	snprintf(path, sizeof path, "/tmp/leat-fork-%d", (int)getpid());
	l = leat_listen("unix", path, NULL, NULL);
	CHECK(l);
	IN_CHILD(1, leat_listener_free(l));
	IN_CHILD(1, leat_yield(); leat_listener_free(l));
	c = leat_dial("unix", path, NULL, NULL);
	CHECK(c);
	leat_conn_free(c);
	leat_listener_free(l);
	CHECK_EQ(access(path, F_OK), -1);
}

/* Daemons do: all descriptors are closed before anything of leat's is called. */
TEST(a_child_may_close_what_it_has_not_opened)
{
	leat_conn *a, *b;
	leat_listener *l = leat_listen("tcp", "127.0.0.1:0", NULL, NULL);

	CHECK(l && leat_conn_socketpair(&a, &b, NULL));
	IN_CHILD(1, {
		leat_conn *c, *d;
		char byte;

		for (int fd = 3; fd < 100; fd++)
			close(fd);
		leat_yield();
		CHECK(leat_conn_socketpair(&c, &d, NULL)); /* under numbers that were others' */
		atomic_store(&conn_ended, 0);
		go(conn_reader, .c = c, .expected = 1);
		test_parked(1);
		CHECK_EQ(leat_conn_write(d, "x", 1, NULL), 0);
		conn_await(1);
		CHECK_EQ(leat_conn_write(c, "y", 1, NULL), 0);
		CHECK_EQ(leat_conn_read(d, &byte, 1), 1);
		leat_conn_free(c);
		leat_conn_free(d);
	});
	leat_conn_free(a);
	leat_conn_free(b);
	leat_listener_free(l);
}

TEST_MAIN
