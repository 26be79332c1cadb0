/* SPDX-License-Identifier: MIT */
/* CTEST: notsan */
/*
 * Goal: a server may listen first and fork its workers then, as the first things that it does with leat: each process has a
 * poller of its own.
 * Method: one test, for only the first fork comes that early.  Each connection waits for its turn, so that the workers are seen to be
 * woken from their waits; they answer with who they are.
 */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>

#define WORKERS 3

/* Accept, and answer, until the parent is gone. */
static void work(leat_listener *l)
{
	for (;;) {
		leat_conn *c = leat_accept(l, NULL, NULL);
		pid_t me = getpid();
		char byte;

		CHECK(c);
		while (leat_conn_read(c, &byte, 1) == 1)
			CHECK_EQ(leat_conn_write(c, &me, sizeof me, NULL), 0);
		leat_conn_free(c);
	}
}

static pid_t ask(leat_conn *c)
{
	pid_t who;

	CHECK_EQ(leat_conn_write(c, "?", 1, NULL), 0);
	CHECK_EQ(leat_conn_read_full(c, &who, sizeof who, NULL, NULL), 0);
	return who;
}

TEST(workers_are_forked_after_listen)
{
	leat_listener *l = leat_listen("tcp", "127.0.0.1:0", NULL, NULL);
	pid_t workers[WORKERS];
	char text[LEAT_ADDR_TEXT];
	leat_conn *c[WORKERS];
	leat_addr addr;

	CHECK(l);
	for (int i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		CHECK(workers[i] >= 0);
		if (!workers[i]) {
			alarm(100);
			work(l);
		}
	}
	addr = leat_listener_addr(l);
	/* Each is busy with one, so another takes the next. */
	for (int i = 0; i < WORKERS; i++) {
		c[i] = leat_dial("tcp", leat_addr_text(&addr, text), NULL, NULL);
		CHECK(c[i]);
		ask(c[i]);
	}
	for (int round = 0; round < test_count(1000); round++)
		for (int i = 0; i < WORKERS; i++)
			for (int k = 0; k < i; k++)
				CHECK(ask(c[i]) != ask(c[k]));
	for (int i = 0; i < WORKERS; i++) {
		leat_conn_free(c[i]);
		CHECK_EQ(kill(workers[i], SIGKILL), 0);
		CHECK_EQ(waitpid(workers[i], NULL, 0), workers[i]);
	}
	leat_listener_free(l);
}

TEST_MAIN
