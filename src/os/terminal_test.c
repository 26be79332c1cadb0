/* SPDX-License-Identifier: MIT */
/*
 * Goal: what gives a terminal back is written once, by the process that draws on it: not by the child of a fork, which may have it
 * for itself.
 * Method: a pipe for a terminal.
 */
#include "os/terminal.h"

#include "test.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int ends[2];

static void drawn(const char *expected)
{
	char text[100] = "";

	CHECK_EQ(write(ends[1], ".", 1), 1);
	CHECK(read(ends[0], text, sizeof text - 1) > 0);
	CHECK_STR(text, expected);
}

TEST(a_child_leaves_its_parents_terminal_alone)
{
	int status;
	pid_t child;

	leat_yield(); /* from here on leat hears of forks */
	CHECK_EQ(pipe(ends), 0);
	CHECK(leat__os_terminal_take(ends[1]));
	CHECK(leat__os_terminal_draw("first ", 6, "restore"));
	child = fork();
	CHECK(child >= 0);
	if (!child)
		exit(0);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	drawn("first .");
	leat__os_terminal_give();
	drawn("restore.");
}

TEST(a_child_may_take_it)
{
	int status;
	pid_t child;

	CHECK(leat__os_terminal_take(ends[1]));
	child = fork();
	CHECK(child >= 0);
	if (!child) {
		CHECK(leat__os_terminal_take(ends[1]));
		CHECK(leat__os_terminal_draw("second ", 7, "restore"));
		exit(0);
	}
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK_EQ(status, 0);
	drawn("second restore.");
	leat__os_terminal_give();
}

TEST_MAIN
