/* SPDX-License-Identifier: MIT */
/* CTEST: noemulator */
/*
 * Goal: leat/process.h runs what it is told, with what it is told, and says in Go's words how that ended.
 * Method: children that tell what they were given (process_help.h).
 */
#include "process_help.h"

#include "descriptors.h"

TEST(how_it_ended)
{
	leat_exit x;
	char text[64];
	const leat_error *e;

	CHECK(!leat_process_run(&(leat_command){.args = AS("exit", "0")}, NULL, &x));
	CHECK(x.exited && x.code == 0 && x.signal == 0 && x.usage.ru_maxrss > 0);

	e = leat_process_run(&(leat_command){.args = AS("exit", "3")}, NULL, &x);
	CHECK(x.exited && x.code == 3);
	CHECK(leat_error_as(e, &leat_exit_error) == e);
	CHECK_SAYS(e, "exit status 3");

	e = leat_process_run(&(leat_command){.args = AS("raise", "9")}, NULL, &x);
	CHECK(!x.exited && x.code == -1 && x.signal == SIGKILL && !x.core);
	CHECK_SAYS(e, "signal: killed");
	CHECK_SAYS(leat_process_run(&(leat_command){.args = AS("raise", "15")}, NULL, NULL),
	           "signal: terminated");

	x = (leat_exit){.signal = SIGABRT, .core = true};
	CHECK_EQ(leat_exit_string(&x, text, sizeof text), strlen("signal: aborted (core dumped)"));
	CHECK_STR(text, "signal: aborted (core dumped)");
	x = (leat_exit){.exited = true, .code = 12};
	CHECK_EQ(leat_exit_string(&x, text, 6), strlen("exit status 12"));
	CHECK_STR(text, "exit ");
	CHECK(!has_children());
}

TEST(what_cannot_be_run)
{
	leat_exit x = {.code = 7};
	const leat_error *e;

	e = leat_process_run(&(leat_command){.path = "leat-no-such-program"}, NULL, &x);
	CHECK_EQ(leat_error_code(e), -ENOENT);
	CHECK(!leat_error_as(e, &leat_exit_error) && !x.exited && x.code == 0);
	CHECK_SAYS(e, "exec: \"leat-no-such-program\": executable file not found in $PATH");
	e = leat_process_run(&(leat_command){.path = "/nonexistent/x"}, NULL, NULL);
	CHECK_EQ(leat_error_code(e), -ENOENT);
	CHECK_SAYS(e, "fork/exec /nonexistent/x: no such file or directory");
	e = leat_process_run(&(leat_command){.path = "/etc/passwd"}, NULL, NULL);
	CHECK_EQ(leat_error_code(e), -EACCES);
	CHECK_SAYS(e, "fork/exec /etc/passwd: permission denied");
	CHECK_SAYS(leat_process_run(&(leat_command){.path = "/"}, NULL, NULL),
	           "fork/exec /: permission denied");
	CHECK_SAYS(
	    leat_process_run(&(leat_command){.path = "/bin/sh", .dir = "/nonexistent"}, NULL, NULL),
	    "chdir /nonexistent: no such file or directory");
	CHECK_SAYS(
	    leat_process_run(&(leat_command){.path = "/bin/sh", .dir = "/etc/passwd"}, NULL, NULL),
	    "chdir /etc/passwd: not a directory");
	CHECK_SAYS(leat_process_run(&(leat_command){.path = "/bin/sh",
	                                            .in = {LEAT_STDIO_FILE, .path = "/nonexistent"}},
	                            NULL, NULL),
	           "open /nonexistent: no such file or directory");
	CHECK_SAYS(
	    leat_process_run(&(leat_command){.path = "/bin/sh", .out = {LEAT_STDIO_FD, .fd = 1000000}},
	                     NULL, NULL),
	    "exec: stdout: bad file descriptor");
	CHECK(!has_children());
}

TEST(which_program)
{
	char old[4096];
	const leat_error *e;
	char *path = leat_look_path("sh", NULL);

	CHECK(path && *path == '/' && strcmp(strrchr(path, '/'), "/sh") == 0);
	free(path);
	path = leat_look_path("/bin/sh", NULL);
	CHECK_STR(path, "/bin/sh");
	free(path);
	CHECK(!leat_look_path("/bin/nonexistent", &e));
	CHECK_SAYS(e, "exec: \"/bin/nonexistent\": no such file or directory");
	CHECK(!leat_look_path("/etc/passwd", &e));
	CHECK_SAYS(e, "exec: \"/etc/passwd\": permission denied");
	CHECK(!leat_look_path("", &e));
	CHECK_SAYS(e, "exec: \"\": executable file not found in $PATH");

	snprintf(old, sizeof old, "%s", getenv("PATH"));
	CHECK(chdir("/bin") == 0);
	setenv("PATH", "/nonexistent::/usr/bin", 1);
	CHECK(!leat_look_path("sh", &e));
	CHECK_SAYS(e, "exec: \"sh\": cannot run executable found relative to current directory");
	unsetenv("PATH");
	CHECK(!leat_look_path("sh", NULL));
	setenv("PATH", old, 1);
	CHECK(chdir("/") == 0);
}

TEST(arguments_environment_and_folder)
{
	static const char *const env[] = {"X=from here", NULL};
	leat_result r;

	CHECK(!leat_process_output(
	    &(leat_command){.path = "/bin/sh",
	                    .args = (const char *const[]){"me", "-c", "echo \"$0|$1|$X|$HOME\"; pwd",
	                                                  "a b", "c", NULL},
	                    .env = env,
	                    .dir = "/usr"},
	    NULL, &r));
	CHECK_STR(r.out, "a b|c|from here|\n/usr\n");
	leat_result_free(&r);

	setenv("LEAT_TEST_X", "inherited", 1);
	CHECK(!leat_process_output(&(leat_command){.args = SHELL("echo $LEAT_TEST_X")}, NULL, &r));
	CHECK_STR(r.out, "inherited\n");
	leat_result_free(&r);
}

/* Others that are open here, and not closed on exec, are not there. */
TEST(descriptors_are_those_that_were_asked_for)
{
	int leak = open("/dev/null", O_RDONLY), high = fcntl(leak, F_DUPFD, 500), end[2];
	leat_result r;
	char c;

	CHECK(!leat_process_output(&(leat_command){.args = AS("fds")}, NULL, &r));
	CHECK_STR(r.out, "0 1 2 ");
	leat_result_free(&r);
	CHECK(pipe(end) == 0);
	CHECK(!leat_process_output(
	    &(leat_command){.args = AS("fds"), .fds = (const int[]){leak, end[1]}, .fds_n = 2}, NULL,
	    &r));
	CHECK_STR(r.out, "0 1 2 3 4 ");
	leat_result_free(&r);
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("echo x >&4"),
	                                        .fds = (const int[]){leak, end[1]},
	                                        .fds_n = 2},
	                        NULL, NULL));
	CHECK(read(end[0], &c, 1) == 1 && c == 'x');
	close(end[0]);
	close(end[1]);
	close(leak);
	close(high);
}

/* The descriptors 3 and 4 here are 4 and 3 there, whatever lies in between. */
TEST(descriptors_may_cross)
{
	int a[2], b[2];
	char c;

	CHECK(pipe(a) == 0 && pipe(b) == 0);
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("echo a >&3; echo b >&4"),
	                                        .fds = (const int[]){a[1], b[1]},
	                                        .fds_n = 2},
	                        NULL, NULL));
	CHECK(read(a[0], &c, 1) == 1 && c == 'a');
	CHECK(read(b[0], &c, 1) == 1 && c == 'b');
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("echo 3 >&3; echo 4 >&4"),
	                                        .fds = (const int[]){b[1], a[1]},
	                                        .fds_n = 2},
	                        NULL, NULL));
	CHECK(read(a[0], &c, 1) == 1 && c == '\n');
	CHECK(read(a[0], &c, 1) == 1 && c == '4');
	CHECK(read(b[0], &c, 1) == 1 && c == '\n');
	CHECK(read(b[0], &c, 1) == 1 && c == '3');
	/* Standard streams, as well. */
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("echo e >&2; echo i >&0"),
	                                        .in = {LEAT_STDIO_FD, .fd = a[1]},
	                                        .out = {LEAT_STDIO_FD, .fd = 2},
	                                        .err = {LEAT_STDIO_FD, .fd = b[1]}},
	                        NULL, NULL));
	CHECK(read(a[0], &c, 1) == 1 && c == '\n');
	CHECK(read(a[0], &c, 1) == 1 && c == 'i');
	CHECK(read(b[0], &c, 1) == 1 && c == '\n');
	CHECK(read(b[0], &c, 1) == 1 && c == 'e');
	for (int i = 0; i < 2; i++) {
		close(a[i]);
		close(b[i]);
	}
}

static void signals_are(unsigned long long ignored)
{
	unsigned long long blocked = 1, there = 1,
	                   libc = 3ULL << 31; /* its own, which nobody can have */
	leat_result r;

	CHECK(!leat_process_output(&(leat_command){.args = AS("signals")}, NULL, &r));
	CHECK_EQ(sscanf(r.out, "SigBlk: %llx SigIgn: %llx", &blocked, &there), 2);
	CHECK_EQ(blocked, 0);
	CHECK_EQ(there & ~libc, ignored);
	leat_result_free(&r);
}

TEST(signals_are_the_usual_ones_there)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signal_ignore(SIGINT);
	signals_are(0);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	signal_reset(SIGINT);

	signal(SIGHUP, SIG_IGN); /* as nohup does: that is for the children, too */
	signals_are(1);
	signal_ignore(SIGHUP);
	signals_are(1);
	signal_reset(SIGHUP);
	signal(SIGHUP, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
}

static void start(void *c)
{
	leat_process_free(leat_process_start(c, NULL, NULL));
}

TEST(commands_that_cannot_be)
{
#define REFUSED(message, ...)                                                                      \
	CHECK(test_panics(start, &(leat_command){__VA_ARGS__}, "exec: " message))
	REFUSED("no command", .path = NULL);
	REFUSED("no command", .args = (const char *const[]){NULL});
	REFUSED("stdin cannot be captured or appended to", .path = "/bin/sh",
	        .in = {LEAT_STDIO_CAPTURE});
	REFUSED("stdout is no input", .path = "/bin/sh", .out = {LEAT_STDIO_BYTES});
	REFUSED("stdout cannot go where the output goes", .path = "/bin/sh", .out = {LEAT_STDIO_OUT});
	REFUSED("stderr is of no kind", .path = "/bin/sh", .err = {(enum leat_stdio_kind)77});
}

TEST(nothing_is_left)
{
	enum { ROUNDS = 40, TRIES = 10 };
	size_t heap, kept = SIZE_MAX;
	int open;

	/* Threads keep some of what was freed, each its own, and another may have come meanwhile: what is lost is
	   lost each time.  Less than a process takes is LeakSanitizer's to find. */
	for (int try = 0; try < 2 || (try < TRIES && kept > ROUNDS * (size_t)1000); try++) {
		heap = test_heap_in_use();
		open = test_descriptors();
		for (int i = 0; i < ROUNDS; i++) {
			leat_result r;

			CHECK(!leat_process_combined_output(&(leat_command){.args = AS("both")}, NULL, &r));
			CHECK_STR(r.out, "outerr");
			CHECK(!r.err);
			leat_result_free(&r);
			CHECK_SAYS(leat_process_run(&(leat_command){.path = "/etc/passwd",
			                                            .in = {LEAT_STDIO_PIPE},
			                                            .out = {LEAT_STDIO_CAPTURE}},
			                            NULL, NULL),
			           "fork/exec /etc/passwd: permission denied");
		}
		test_goroutines(1);
		kept = test_heap_in_use() > heap ? test_heap_in_use() - heap : 0;
	}
	CHECK_EQ(test_descriptors(), open);
	CHECK(kept <= ROUNDS * (size_t)1000);
	CHECK(!has_children());
}

PROCESS_MAIN
