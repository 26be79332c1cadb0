/* SPDX-License-Identifier: MIT */
/*
 * Children for tests of processes: the test program itself, in one of these roles.
 *
 *	const leat_command c = {.args = (const char *const[]){SELF, ROLE, "exit", "3", NULL}, ...};
 *
 *	exit N          exit with N
 *	raise N         end by that signal
 *	fds             write the numbers of all open descriptors
 *	signals         write which signals are blocked, and which ignored, as the kernel has it
 *	cat             write what is read
 *	both            write "out" to stdout and "err" to stderr
 *	flood N         write N bytes to stdout
 *	polite N        write "ready", and exit with N at SIGTERM
 *	stubborn        write "ready", and stay, whatever asks for the end
 *	leave           have a child that holds stdout until descriptor 3 is at its end; write "left", and exit
 *	hold            write "ready", have a child that does the same, and stay
 */
#ifndef PROCESS_HELP_H
#define PROCESS_HELP_H

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#define SELF "/proc/self/exe"
#define ROLE "--role"

/* Arguments for this program in a role. */
#define AS(...)    ((const char *const[]){SELF, ROLE, __VA_ARGS__, NULL})
#define SHELL(...) ((const char *const[]){"sh", "-c", __VA_ARGS__, NULL})

static void role_say(const char *text)
{
	if (write(1, text, strlen(text)) < 0)
		_exit(99);
}

/* Not by a handler, which the thread sanitizer may keep back while we pause. */
static int role_wait(const char *arg)
{
	sigset_t set;
	int sig;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	role_say("ready");
	sigwait(&set, &sig);
	return atoi(arg);
}

static void role_fds(void)
{
	for (int fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			dprintf(1, "%d ", fd);
}

static void role_signals(void)
{
	FILE *status = fopen("/proc/self/status", "r");
	char line[256];

	while (status && fgets(line, sizeof line, status))
		if (strncmp(line, "SigBlk:", 7) == 0 || strncmp(line, "SigIgn:", 7) == 0)
			dprintf(1, "%s", line);
}

static void role_cat(void)
{
	char buffer[4096];
	ssize_t n;

	while ((n = read(0, buffer, sizeof buffer)) > 0)
		if (write(1, buffer, (size_t)n) != n)
			_exit(99);
}

static void role_flood(long n)
{
	char block[1000];

	memset(block, 'x', sizeof block);
	while (n > 0) {
		ssize_t done = write(1, block, n < 1000 ? (size_t)n : 1000);

		if (done < 0)
			_exit(98);
		n -= done;
	}
}

/* Hold what is open until nobody has the other end of 3. */
static void role_hold(void)
{
	char c;

	if (fork() == 0) {
		while (read(3, &c, 1) > 0)
			;
		_exit(0);
	}
}

static int role(const char *name, const char *arg)
{
	if (strcmp(name, "exit") == 0)
		return atoi(arg);
	if (strcmp(name, "raise") == 0)
		raise(atoi(arg));
	else if (strcmp(name, "fds") == 0)
		role_fds();
	else if (strcmp(name, "signals") == 0)
		role_signals();
	else if (strcmp(name, "cat") == 0)
		role_cat();
	else if (strcmp(name, "flood") == 0)
		role_flood(atol(arg));
	else if (strcmp(name, "both") == 0) {
		role_say("out");
		dprintf(2, "err");
	} else if (strcmp(name, "leave") == 0) {
		role_hold();
		role_say("left");
	} else {
		if (strcmp(name, "polite") == 0)
			return role_wait(arg);
		signal(SIGTERM, SIG_IGN);
		if (strcmp(name, "hold") == 0)
			role_hold();
		role_say("ready");
		for (;;)
			pause();
	}
	return 0;
}

/* Whether there is a child of ours, running or not; none is to be left. */
static inline bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* Read so much of text from c, which must be there. */
static inline void expect(leat_conn *c, const char *text)
{
	char got[64];

	CHECK(strlen(text) < sizeof got);
	CHECK_EQ(leat_conn_read_full(c, got, strlen(text), NULL, NULL), 0);
	CHECK(memcmp(got, text, strlen(text)) == 0);
}

/* e says just this; let go of it. */
#define CHECK_SAYS(e, text)                                                                        \
	do {                                                                                           \
		const leat_error *test_e = (e);                                                            \
		CHECK_STR(leat_error_message(test_e), text);                                               \
		leat_error_free(test_e);                                                                   \
	} while (0)

/* Through one that copies what it reads; there and back, so that others come to run meanwhile. */
static inline void echo(leat_conn *to, leat_conn *from)
{
	CHECK_EQ(leat_conn_write(to, "still there", 11, NULL), 0);
	expect(from, "still there");
}

/* One that is released, at once or when its keeper waits for it, goes on until its input ends, whatever then does to its context. */
static inline void check_released(bool at_once, void (*then)(leat_ctx *ctx))
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_conn *to, *from;
	int in[2], out[2], pid;
	leat_process *p;
	char c;

	CHECK(pipe(in) == 0 && pipe(out) == 0);
	p = leat_process_start(&(leat_command){.args = AS("cat"),
	                                       .in = {LEAT_STDIO_FD, .fd = in[0]},
	                                       .out = {LEAT_STDIO_FD, .fd = out[1]}},
	                       ctx, NULL);
	CHECK(p);
	pid = leat_process_id(p);
	close(in[0]);
	close(out[1]);
	to = leat_conn_from_fd(in[1], NULL);
	from = leat_conn_from_fd(out[0], NULL);
	CHECK(to && from);
	if (!at_once)
		echo(to, from);
	leat_process_release(p);
	then(ctx);
	for (int i = 0; i < 10; i++)
		echo(to, from);
	leat_conn_free(to);
	CHECK_EQ(leat_conn_read(from, &c, 1), 0);
	test_until(kill(pid, 0) < 0);
	leat_conn_free(from);
	test_goroutines(1);
}

static inline void cancel_then_free(leat_ctx *ctx)
{
	leat_ctx_cancel(ctx);
	leat_yield();
	leat_ctx_free(ctx);
}

/* With something else in its place. */
static inline void free_and_reuse(leat_ctx *ctx)
{
	void *other[8];

	leat_ctx_free(ctx);
	for (int i = 0; i < 8; i++) {
		other[i] = malloc(sizeof *ctx);
		CHECK(other[i]);
		memset(other[i], 0x5a, sizeof *ctx);
	}
	for (int i = 0; i < 8; i++)
		free(other[i]);
}

/* Cancelled before its release, it is asked to end, and killed in time; one that ends by itself goes as well. */
static inline void check_ends_released(bool cancelled)
{
	leat_ctx *ctx = leat_ctx_with_cancel(leat_ctx_background());
	leat_process *p =
	    leat_process_start(&(leat_command){.args = cancelled ? AS("stubborn") : AS("exit", "0"),
	                                       .cancel_signal = SIGTERM,
	                                       .wait_delay_ns = LEAT_MILLISECOND},
	                       ctx, NULL);
	int pid;

	CHECK(p);
	pid = leat_process_id(p);
	if (cancelled)
		leat_ctx_cancel(ctx);
	leat_process_release(p);
	free_and_reuse(ctx);
	test_until(kill(pid, 0) < 0);
	test_goroutines(1);
}

#define PROCESS_MAIN                                                                               \
	int main(int argc, char **argv)                                                                \
	{                                                                                              \
		if (argc > 2 && strcmp(argv[1], ROLE) == 0)                                                \
			return role(argv[2], argv[3]);                                                         \
		return test_main(argc, argv);                                                              \
	}

#endif
