/* SPDX-License-Identifier: MIT */
/* CTEST: noemulator */
/*
 * Goal: the standard streams of a process are what the command says: nothing, ours, files, memory, pipes.
 * Method: children that copy, or write what is known.
 */
#include "process_help.h"

#include <stdatomic.h>
#include <sys/stat.h>

/* A file's text, of a file of one test. */
static const char *text_of(const char *path)
{
	static char text[256];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

	CHECK(n >= 0);
	text[n] = '\0';
	close(fd);
	return text;
}

TEST(nothing_is_the_default)
{
	CHECK(!leat_process_run(
	    &(leat_command){.args = SHELL("read x && exit 1; echo out; echo err >&2; exit 0")}, NULL,
	    NULL));
}

TEST(files)
{
	char path[] = "/tmp/leat_process_XXXXXX";
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	CHECK(!leat_process_run(
	    &(leat_command){.args = SHELL("echo one"), .out = {LEAT_STDIO_FILE, .path = path}}, NULL,
	    NULL));
	CHECK_STR(text_of(path), "one\n");
	CHECK(!leat_process_run(
	    &(leat_command){.args = SHELL("echo two"), .out = {LEAT_STDIO_APPEND, .path = path}}, NULL,
	    NULL));
	CHECK_STR(text_of(path), "one\ntwo\n");
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("cat; echo three >&2"),
	                                        .in = {LEAT_STDIO_BYTES, .bytes = "zero\n", .n = 5},
	                                        .out = {LEAT_STDIO_FILE, .path = path},
	                                        .err = {LEAT_STDIO_OUT}},
	                        NULL, NULL));
	CHECK_STR(text_of(path), "zero\nthree\n");
	CHECK(lseek(fd, 0, SEEK_SET) == 0);
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("read x; test \"$x\" = zero"),
	                                        .in = {LEAT_STDIO_FD, .fd = fd}},
	                        NULL, NULL));
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("read x; test \"$x\" = zero"),
	                                        .in = {LEAT_STDIO_FILE, .path = path}},
	                        NULL, NULL));
	close(fd);
	unlink(path);
}

TEST(inherited)
{
	int saved = dup(1), end[2];
	char got[4] = "";

	CHECK(pipe(end) == 0 && dup2(end[1], 1) == 1);
	CHECK(!leat_process_run(&(leat_command){.args = SHELL("echo in"), .out = {LEAT_STDIO_INHERIT}},
	                        NULL, NULL));
	CHECK(read(end[0], got, 3) == 3);
	CHECK_STR(got, "in\n");
	/* What is closed here is closed there. */
	close(1);
	CHECK(!leat_process_run(
	    &(leat_command){.args = SHELL("test ! -e /proc/self/fd/1 -a ! -e /proc/self/fd/2"),
	                    .out = {LEAT_STDIO_INHERIT},
	                    .err = {LEAT_STDIO_OUT}},
	    NULL, NULL));
	CHECK(dup2(saved, 1) == 1);
	close(saved);
	close(end[0]);
	close(end[1]);
}

TEST(memory)
{
	enum { N = 300000 };
	char *text = malloc(N);
	leat_result r;

	for (int i = 0; i < N; i++)
		text[i] = (char)('a' + i % 26);
	CHECK(!leat_process_output(
	    &(leat_command){.args = AS("cat"), .in = {LEAT_STDIO_BYTES, .bytes = text, .n = N}}, NULL,
	    &r));
	CHECK_EQ(r.out_bytes, N);
	CHECK(memcmp(r.out, text, N) == 0 && r.out[N] == '\0' && !r.out_cut);
	CHECK(r.err && r.err_bytes == 0 && r.err[0] == '\0');
	leat_result_free(&r);
	CHECK(!r.out);

	/* Nobody need read it. */
	CHECK(!leat_process_run(
	    &(leat_command){.args = AS("exit", "0"), .in = {LEAT_STDIO_BYTES, .bytes = text, .n = N}},
	    NULL, NULL));
	CHECK(!leat_process_output(
	    &(leat_command){.args = AS("cat"), .in = {LEAT_STDIO_BYTES, .bytes = NULL, .n = 0}}, NULL,
	    &r));
	CHECK_STR(r.out, "");
	leat_result_free(&r);
	free(text);

	CHECK(!leat_process_output(&(leat_command){.args = AS("both")}, NULL, &r));
	CHECK_STR(r.out, "out");
	CHECK_STR(r.err, "err");
	leat_result_free(&r);
	CHECK_SAYS(leat_process_output(&(leat_command){.args = SHELL("echo no >&2; exit 4")}, NULL, &r),
	           "exit status 4");
	CHECK_STR(r.err, "no\n");
	CHECK_EQ(r.exit.code, 4);
	leat_result_free(&r);
}

/* What is beyond the limit is dropped, and holds nobody up. */
TEST(memory_with_a_limit)
{
	static const size_t limits[] = {1, 10, 4095, 4096, 5000, 1000000};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
		leat_result r;

		CHECK(!leat_process_output(&(leat_command){.args = AS("flood", "200000"),
		                                           .out = {LEAT_STDIO_CAPTURE, .limit = limits[i]}},
		                           NULL, &r));
		CHECK_EQ(r.out_bytes, limits[i] < 200000 ? limits[i] : 200000);
		CHECK_EQ(r.out_cut, limits[i] < 200000);
		CHECK_EQ(strlen(r.out), r.out_bytes);
		leat_result_free(&r);
	}
	leat_result r;

	CHECK(!leat_process_output(
	    &(leat_command){.args = AS("flood", "10"), .out = {LEAT_STDIO_CAPTURE, .limit = 10}}, NULL,
	    &r));
	CHECK(r.out_bytes == 10 && !r.out_cut);
	leat_result_free(&r);
}

static leat_process *start(const leat_command *c)
{
	const leat_error *e = NULL;
	leat_process *p = leat_process_start(c, NULL, &e);

	CHECK_STR(leat_error_message(e), "");
	CHECK(p && leat_process_id(p) > 0);
	return p;
}

TEST(a_conversation_through_pipes)
{
	leat_process *p = start(
	    &(leat_command){.args = AS("cat"), .in = {LEAT_STDIO_PIPE}, .out = {LEAT_STDIO_PIPE}});
	leat_conn *in = leat_process_stdin(p), *out = leat_process_stdout(p);
	size_t n = 7;
	char c;

	CHECK(in && out && !leat_process_stderr(p));
	CHECK(!leat_process_captured_out(p, &n, NULL) && n == 7);
	CHECK_STR(leat_conn_network(in), "pipe");
	for (int i = 0; i < 10; i++) {
		CHECK_EQ(leat_conn_write(in, "hello\n", 6, &n), 0);
		CHECK_EQ(n, 6);
		expect(out, "hello\n");
	}
	CHECK_EQ(
	    leat_conn_writev(in, (const struct iovec[]){{"a", 1}, {NULL, 0}, {"bc", 2}}, 3, NULL, &n),
	    0);
	CHECK_EQ(n, 3);
	expect(out, "abc");
	CHECK_EQ(leat_conn_set_read_deadline(out, leat_now() + LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_conn_read(out, &c, 1), -ETIMEDOUT);
	CHECK_EQ(leat_conn_set_read_deadline(out, LEAT_FOREVER), 0);
	CHECK_EQ(leat_conn_read(in, &c, 1), -ENOTSUP);
	CHECK_EQ(leat_conn_write(out, "x", 1, NULL), -ENOTSUP);
	CHECK_EQ(leat_conn_close_write(in), -ENOTSUP);
	CHECK_EQ(leat_conn_close(in), 0);
	CHECK_EQ(leat_conn_close(in), -EBADF);
	CHECK_EQ(leat_conn_read(out, &c, 1), 0);
	CHECK(!leat_process_wait(p, NULL, NULL));
	leat_process_free(p);
}

/* Pipes stay open, and keep what was written, after the end. */
TEST(what_was_written_is_there_after_the_end)
{
	leat_process *p = start(
	    &(leat_command){.args = AS("both"), .out = {LEAT_STDIO_PIPE}, .err = {LEAT_STDIO_PIPE}});
	char c;

	CHECK(!leat_process_wait(p, NULL, NULL));
	expect(leat_process_stdout(p), "out");
	expect(leat_process_stderr(p), "err");
	CHECK_EQ(leat_conn_read(leat_process_stdout(p), &c, 1), 0);
	leat_process_free(p);
}

TEST(who_reads_no_more_breaks_the_pipe_without_a_signal)
{
	leat_process *p = start(&(leat_command){.args = AS("exit", "0"), .in = {LEAT_STDIO_PIPE}});
	const leat_error *e;

	CHECK(!leat_process_wait(p, NULL, NULL));
	CHECK_EQ(leat_conn_write(leat_process_stdin(p), "x", 1, NULL), -EPIPE);
	e = leat_conn_error(leat_process_stdin(p), "write", -EPIPE);
	CHECK_SAYS(e, "write pipe: broken pipe");
	leat_process_free(p);
}

/* It fills the pipe and waits; we fill another and wait. */
TEST(full_pipes)
{
	leat_process *p =
	    start(&(leat_command){.args = AS("flood", "1000000"), .out = {LEAT_STDIO_PIPE}});
	leat_ctx *soon = leat_ctx_with_timeout(leat_ctx_background(), LEAT_MILLISECOND);
	char *all = calloc(1, 1000001);
	size_t n = 0;

	CHECK(leat_process_wait(p, soon, NULL) == &leat_deadline_exceeded);
	CHECK_EQ(leat_conn_read_full(leat_process_stdout(p), all, 1000001, NULL, &n), -EPROTO);
	CHECK_EQ(n, 1000000);
	CHECK(!leat_process_wait(p, NULL, NULL));
	CHECK(!leat_process_wait(p, soon, NULL)); /* it is known */
	leat_process_free(p);

	p = start(&(leat_command){.args = AS("stubborn"), .in = {LEAT_STDIO_PIPE}});
	CHECK_EQ(leat_conn_set_write_deadline(leat_process_stdin(p), leat_now() + LEAT_MILLISECOND), 0);
	CHECK_EQ(leat_conn_write(leat_process_stdin(p), all, 1000000, &n), -ETIMEDOUT);
	CHECK(n < 1000000);
	CHECK_EQ(leat_conn_set_write_deadline(leat_process_stdin(p), LEAT_FOREVER), 0);
	CHECK_EQ(leat_conn_write_ctx(leat_process_stdin(p), all, 1000000, soon, &n), -ETIMEDOUT);
	leat_process_free(p);
	leat_ctx_free(soon);
	free(all);
}

struct reader {
	leat_conn *c;
	_Atomic int *got;
};

static void reader(struct reader *a)
{
	char c;

	atomic_store(a->got, (int)leat_conn_read(a->c, &c, 1));
}

TEST(a_close_wakes_who_reads)
{
	leat_process *p = start(
	    &(leat_command){.args = AS("cat"), .in = {LEAT_STDIO_PIPE}, .out = {LEAT_STDIO_PIPE}});
	_Atomic int got = 1;

	go(reader, leat_process_stdout(p), &got);
	test_until(leat_num_parked() >= 2); /* it, and who keeps the process */
	CHECK_EQ(leat_conn_close(leat_process_stdout(p)), 0);
	test_until(atomic_load(&got) != 1);
	CHECK_EQ(atomic_load(&got), -EBADF);
	leat_process_free(p);
}

/* Numbers that are closed here, and that our own pipes for the child get. */
TEST(what_is_closed_here_is_closed_there_whatever_takes_its_number)
{
	static const leat_stdio bytes = {.kind = LEAT_STDIO_BYTES, .bytes = "x", .n = 1},
	                        inherit = {.kind = LEAT_STDIO_INHERIT},
	                        first = {.kind = LEAT_STDIO_FD, .fd = 1};
	const leat_error *e[3] = {0};
	int saved[3], one = 1, code[3];
	leat_exit x = {0};

	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 50);
		CHECK(saved[fd] >= 0);
	}
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	e[0] = leat_process_run(
	    &(leat_command){.args = SHELL("test -e /proc/self/fd/0 -a ! -e /proc/self/fd/1 -a ! -e "
	                                  "/proc/self/fd/2"),
	                    .in = bytes,
	                    .out = inherit,
	                    .err = inherit},
	    NULL, &x);
	e[1] = leat_process_run(&(leat_command){.args = SHELL(":"), .in = bytes, .out = first}, NULL,
	                        NULL);
	e[2] = leat_process_run(
	    &(leat_command){.args = SHELL(":"), .in = bytes, .fds = &one, .fds_n = 1}, NULL, NULL);
	for (int fd = 0; fd < 3; fd++) {
		dup2(saved[fd], fd);
		close(saved[fd]);
	}
	for (int i = 0; i < 3; i++)
		code[i] = leat_error_code(e[i]);
	CHECK(!e[0]);
	CHECK_EQ(x.code, 0);
	CHECK_EQ(code[1], -EBADF);
	CHECK_STR(leat_error_message(e[1]), "exec: stdout: bad file descriptor");
	CHECK_EQ(code[2], -EBADF);
	CHECK_STR(leat_error_message(e[2]), "exec: fds: bad file descriptor");
	leat_error_free(e[1]);
	leat_error_free(e[2]);
}

/* Pipes of the program's own. */
TEST(connections_of_pipes)
{
	const leat_error *e;
	leat_conn *in, *out;
	int end[2], file = open("/dev/null", O_RDWR);

	CHECK(pipe(end) == 0);
	in = leat_conn_from_fd(end[0], NULL);
	out = leat_conn_from_fd(end[1], NULL);
	CHECK(in && out && leat_conn_fd(in) == end[0]);
	CHECK_EQ(leat_conn_write(out, "abc", 3, NULL), 0);
	expect(in, "abc");
	leat_conn_free(in);
	CHECK_EQ(leat_conn_write(out, "abc", 3, NULL), -EPIPE);
	leat_conn_free(out);
	CHECK(!leat_conn_from_fd(file, &e));
	CHECK_EQ(leat_error_code(e), -ENOTSOCK);
	leat_error_free(e);
	close(file);
}

PROCESS_MAIN
