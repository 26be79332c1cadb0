/* SPDX-License-Identifier: MIT */
/* CTEST: nosan serial noemulator */
/*
 * Goal: out of descriptors or processes, an error says so, and nothing is lost.
 * Method: limits of this process; as nobody, where it is root, whom they do not concern.
 */
#include "process_help.h"

#include "descriptors.h"

#include <sys/resource.h>

__attribute__((constructor(101))) static void become_nobody(void)
{
	if (geteuid() == 0 && setuid(65534) != 0)
		_exit(77);
}

static struct rlimit set_limit(int which, rlim_t most)
{
	struct rlimit before, now;

	CHECK(getrlimit(which, &before) == 0);
	now = before;
	now.rlim_cur = most;
	CHECK(setrlimit(which, &now) == 0);
	return before;
}

static const char *const hello[] = {"sh", "-c", "read x; echo \"$x\"", NULL};

static void works(void)
{
	leat_result r;

	CHECK(!leat_process_output(
	    &(leat_command){.args = hello, .in = {LEAT_STDIO_BYTES, .bytes = "hi\n", .n = 3}}, NULL,
	    &r));
	CHECK_STR(r.out, "hi\n");
	leat_result_free(&r);
}

/* From none on one more each time, until it works. */
TEST(out_of_descriptors)
{
	leat_command c = {.args = hello,
	                  .in = {LEAT_STDIO_BYTES, .bytes = "hi\n", .n = 3},
	                  .out = {LEAT_STDIO_CAPTURE},
	                  .err = {LEAT_STDIO_INHERIT}};
	bool piped = false, dull = false;
	int open, worked = 0;

	works(); /* the poller is there */
	open = test_descriptors();
	for (int more = 0; worked < 3; more++) {
		struct rlimit before = set_limit(RLIMIT_NOFILE, (rlim_t)(open + more));
		const leat_error *e = NULL;
		leat_result r;

		e = leat_process_output(&c, NULL, &r);
		CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
		if (e) {
			CHECK_EQ(leat_error_code(e), -EMFILE);
			piped |= strcmp(leat_error_message(e), "pipe: too many open files") == 0;
			dull |= strstr(leat_error_message(e), "too many open files") == NULL;
			leat_error_free(e);
			CHECK(!r.out);
		} else {
			/* Also without one to watch the process by. */
			CHECK_STR(r.out, "hi\n");
			worked++;
		}
		leat_result_free(&r);
		CHECK(more < 20);
	}
	CHECK(piped && !dull);
	test_goroutines(1);
	CHECK_EQ(test_descriptors(), open);
	CHECK(!has_children());
	works();
}

TEST(out_of_processes)
{
	struct rlimit before;
	const leat_error *e;
	leat_process *p;

	works();
	before = set_limit(RLIMIT_NPROC, 0);
	p = leat_process_start(&(leat_command){.path = "/bin/sh"}, NULL, &e);
	CHECK(setrlimit(RLIMIT_NPROC, &before) == 0);
	CHECK(!p);
	CHECK_EQ(leat_error_code(e), -EAGAIN);
	CHECK_SAYS(e, "fork/exec /bin/sh: resource temporarily unavailable");
	works();
	test_goroutines(1);
}

PROCESS_MAIN
