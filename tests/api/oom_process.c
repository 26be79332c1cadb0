/* SPDX-License-Identifier: MIT */
/* CTEST: nosan nomigrate noemulator */
/* Goal: where memory is out a process is not started, and that is said; or it runs, and what was to be kept is dropped. */
#include "oom.h"

static const char *const args[] = {"sh", "-c", "echo hello", NULL};

static int starts(void *arg)
{
	const leat_error *e = NULL;
	leat_process *p = leat_process_start(arg, NULL, &e);
	int code = leat_error_code(e);

	leat_error_free(e);
	leat_process_free(p);
	return code;
}

TEST(out_of_memory)
{
	leat_command plain = {.args = args}, rich = {.args = args,
	                                             .in = {LEAT_STDIO_BYTES, .bytes = "x", .n = 1},
	                                             .out = {LEAT_STDIO_CAPTURE},
	                                             .err = {LEAT_STDIO_PIPE}};

	if (!OOM_WORKS)
		oom_skip();
	starts(&rich);
	test_goroutines(1); /* which oom_each counts: who kept a process may still be ending */
	CHECK(oom_each(starts, &plain) > 4);
	test_goroutines(1);
	CHECK(oom_each(starts, &rich) > 8);
}

TEST_MAIN
