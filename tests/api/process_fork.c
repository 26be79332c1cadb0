/* SPDX-License-Identifier: MIT */
/* CTEST: notsan noemulator */
/*
 * Goal: in the child of a fork the parent's processes are strangers: they are not signalled, and can be freed.
 * Method: the child tries; the parent's go on.
 */
#include "process_help.h"

#include "descriptors.h"

enum { FINE = 42 };

static void try(leat_process *p, leat_process *ended)
{
	int open = test_descriptors();

	CHECK_EQ(leat_process_kill(p), -ESRCH);
	CHECK_EQ(leat_process_signal(ended, SIGTERM), -ESRCH);
	leat_process_free(p);
	leat_process_free(ended);
	CHECK(test_descriptors() < open);
	/* Its own are its own. */
	CHECK_SAYS(leat_process_run(&(leat_command){.args = AS("exit", "3")}, NULL, NULL),
	           "exit status 3");
	CHECK(!has_children());
	_exit(FINE);
}

TEST(strangers)
{
	leat_process *p = leat_process_start(
	    &(leat_command){.args = AS("cat"), .in = {LEAT_STDIO_PIPE}, .out = {LEAT_STDIO_PIPE}}, NULL,
	    NULL);
	leat_process *ended = leat_process_start(
	    &(leat_command){.args = AS("both"), .out = {LEAT_STDIO_CAPTURE}}, NULL, NULL);
	int status = 0;
	pid_t child;

	CHECK(p && ended && !leat_process_wait(ended, NULL, NULL));
	child = fork();
	CHECK(child >= 0);
	if (child == 0)
		try(p, ended);
	CHECK_EQ(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == FINE);
	CHECK_EQ(leat_conn_write(leat_process_stdin(p), "still there", 11, NULL), 0);
	expect(leat_process_stdout(p), "still there");
	CHECK_EQ(leat_conn_close(leat_process_stdin(p)), 0);
	CHECK(!leat_process_wait(p, NULL, NULL));
	leat_process_free(p);
	CHECK_STR(leat_process_captured_out(ended, NULL, NULL), "out");
	leat_process_free(ended);
}

PROCESS_MAIN
