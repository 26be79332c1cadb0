/* SPDX-License-Identifier: MIT */
/* CTEST: timeout=240 env:TERM=xterm */
/*
 * Goal: shown live on a terminal the table stands still below what others write, of which nothing is lost or
 * overwritten, and the terminal is as before however the process or the scope ends; shown on what is no terminal,
 * or on one without room, it comes one table after the other.
 * Method: a pseudo-terminal whose output an emulator of the few sequences that are used plays back.  The ends of
 * processes are tried with this program as a child (LIVE_CHILD says how it is to end), on whose stderr is the terminal.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

/* --- a terminal */

enum { ROWS = 24, COLUMNS = 100, HISTORY = 4000 };

struct terminal {
	char line[HISTORY][COLUMNS + 1]; /* those that scrolled away, then the screen */
	int top;                         /* the screen's first */
	int row, column, saved_row, saved_column;
	int region; /* its last row, from 1 */
	int tables; /* drawn at the bottom so far */
};

static char *row_of(struct terminal *t, int row)
{
	return t->line[t->top + row - 1];
}

static void blank(char *line, int from)
{
	memset(line + from, ' ', (size_t)(COLUMNS - from));
	line[COLUMNS] = '\0';
}

static void terminal_init(struct terminal *t)
{
	memset(t, 0, sizeof *t);
	for (int i = 0; i < HISTORY; i++)
		blank(t->line[i], 0);
	t->row = t->column = t->saved_row = t->saved_column = 1;
	t->region = ROWS;
}

static void down(struct terminal *t)
{
	if (t->row != t->region) {
		t->row += t->row < ROWS;
		return;
	}
	CHECK(t->top + ROWS + 1 < HISTORY);
	/* The region's first line goes; what is below stays where it is on the screen. */
	t->top++;
	for (int row = ROWS; row > t->region; row--)
		memcpy(row_of(t, row), row_of(t, row - 1), COLUMNS);
	blank(row_of(t, t->region), 0);
}

/* How a table begins that has both stages: what is drawn before they are made has fewer. */
#define TABLE       "pipeline of 2 stages"
#define TABLE_BYTES (sizeof TABLE - 1)

static void look_for_table(struct terminal *t)
{
	for (int row = t->region + 1; row <= ROWS; row++)
		t->tables += strncmp(row_of(t, row), TABLE, TABLE_BYTES) == 0;
}

/* ESC [ a ; b final */
static void control(struct terminal *t, const int *n, char final)
{
	switch (final) {
	case 'A':
		t->row = t->row > n[0] ? t->row - n[0] : 1;
		break;
	case 'H':
		CHECK(n[0] >= 1 && n[0] <= ROWS);
		t->row = n[0];
		t->column = n[1] ? n[1] : 1;
		break;
	case 'K':
		blank(row_of(t, t->row), t->column - 1);
		break;
	case 'J':
		blank(row_of(t, t->row), t->column - 1);
		for (int row = t->row + 1; row <= ROWS; row++)
			blank(row_of(t, row), 0);
		break;
	case 'r':
		t->region = n[1] ? n[1] : ROWS;
		t->row = t->column = 1;
		break;
	default:
		fprintf(stderr, "ESC [ %c\n", final);
		exit(1);
	}
}

/* The length of the sequence behind an ESC. */
static int escape(struct terminal *t, const char *at)
{
	int n[2] = {0}, i = 0, k = 1;

	switch (at[0]) {
	case '7':
		t->saved_row = t->row;
		t->saved_column = t->column;
		return 1;
	case '8':
		t->row = t->saved_row;
		t->column = t->saved_column;
		look_for_table(t);
		return 1;
	case 'D':
		down(t);
		return 1;
	case '[':
		for (; strchr("0123456789;", at[k]); k++)
			if (at[k] == ';')
				i = 1;
			else
				n[i] = n[i] * 10 + at[k] - '0';
		control(t, n, at[k]);
		return k + 1;
	default:
		fprintf(stderr, "ESC %c\n", at[0]);
		exit(1);
	}
}

static void play(struct terminal *t, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n') {
			down(t);
		} else if (*text == '\r') {
			t->column = 1;
		} else if (*text == '\033') {
			text += escape(t, text + 1);
		} else {
			if (t->column > COLUMNS) {
				down(t);
				t->column = 1;
			}
			row_of(t, t->row)[t->column++ - 1] = *text;
		}
	}
}

/* --- its other side */

struct pty {
	int master, slave;
	pthread_t reader;
	char text[1 << 22];
	_Atomic size_t bytes;
	_Atomic int tables;
};

static struct pty pty;
static struct terminal terminal;

static void *read_pty(void *arg)
{
	(void)arg;
	for (;;) {
		char *at = pty.text + pty.bytes, *from;
		ssize_t n = read(pty.master, at, sizeof pty.text - 1 - pty.bytes);

		if (n <= 0)
			return NULL;
		/* One may have begun in what was read before. */
		from = pty.bytes < TABLE_BYTES ? pty.text : at - TABLE_BYTES + 1;
		for (; (from = memmem(from, (size_t)(at + n - from), TABLE, TABLE_BYTES)); from++)
			pty.tables++;
		pty.bytes += (size_t)n;
	}
}

static void pty_open(int rows)
{
	struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = COLUMNS};

	pty.bytes = 0;
	pty.tables = 0;
	memset(pty.text, 0, sizeof pty.text);
	pty.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty.master < 0 || grantpt(pty.master) != 0 || unlockpt(pty.master) != 0) {
		fprintf(stderr, "no pseudo-terminals here\n");
		exit(77);
	}
	CHECK(ioctl(pty.master, TIOCSWINSZ, &size) == 0);
	pty.slave = open(ptsname(pty.master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	CHECK(pty.slave >= 0);
	CHECK(pthread_create(&pty.reader, NULL, read_pty, NULL) == 0);
}

/* Nobody has the slave any more. */
static void pty_read(void)
{
	pthread_join(pty.reader, NULL);
	close(pty.master);
}

/* --- a pipeline that goes on until it is told */

static bool make(int *out)
{
	leat_sleep(LEAT_MICROSECOND);
	*out = 1;
	return true;
}

static void forget(const int *in)
{
	(void)in;
}

static void stages(leat_scope *s)
{
	pipe_each0(s, pipe_from0(s, int, make), forget);
}

/* What was written is there, in order, and nothing else. */
static void check_lines(struct terminal *t, int lines)
{
	int line = 0;
	char wanted[40];

	for (int i = 0; i < t->top + ROWS; i++) {
		const char *text = t->line[i];

		if (strspn(text, " ") == COLUMNS)
			continue;
		snprintf(wanted, sizeof wanted, "line %d ", line++);
		if (strncmp(text, wanted, strlen(wanted)) != 0 ||
		    strspn(text + strlen(wanted), " ") != COLUMNS - strlen(wanted)) {
			fprintf(stderr, "\"%s\" is not \"%s\"\n", text, wanted);
			exit(1);
		}
	}
	CHECK_EQ(line, lines);
}

TEST(nothing_that_others_write_is_lost)
{
	static const int begin[] = {0, 3, 23, 40}; /* lines written before: where the cursor is */

	for (size_t i = 0; i < sizeof begin / sizeof *begin; i++) {
		int line = 0;
		FILE *to;

		pty_open(ROWS);
		to = fdopen(pty.slave, "w");
		setvbuf(to, NULL, _IOLBF, BUFSIZ);
		while (line < begin[i])
			fprintf(to, "line %d\n", line++);
		{
			scope(s, NULL);

			pipe_monitor(s, .live = to, .interval_ns = LEAT_MILLISECOND);
			stages(s);
			for (int k = 1; k < 60; k++) {
				int tables = pty.tables;

				fprintf(to, "line %d\n", line++);
				if (k % 3 == 0)
					test_until(pty.tables > tables);
			}
		}
		fclose(to);
		pty_read();
		terminal_init(&terminal);
		play(&terminal, pty.text);
		CHECK(terminal.tables > 10);
		check_lines(&terminal, line);
		CHECK_EQ(terminal.region, ROWS);
		CHECK_EQ(terminal.column, 1);
		/* Whoever writes next does so below the last line. */
		if (line > 0)
			CHECK(strncmp(row_of(&terminal, terminal.row - 1), "line ", 5) == 0);
	}
}

TEST(without_room_tables_follow_each_other)
{
	FILE *to;

	pty_open(6);
	to = fdopen(pty.slave, "w");
	{
		scope(s, NULL);

		pipe_monitor(s, .live = to, .interval_ns = LEAT_MILLISECOND);
		stages(s);
		test_until(pty.tables > 3);
	}
	fclose(to);
	pty_read();
	CHECK(!strchr(pty.text, '\033'));
	CHECK(strstr(pty.text, "workers are at work on average"));
}

TEST(no_terminal)
{
	int fd[2];
	char text[4096] = "", *second;
	size_t bytes = 0;
	FILE *to;

	CHECK(pipe(fd) == 0);
	to = fdopen(fd[1], "w");
	{
		scope(s, NULL);

		pipe_monitor(s, .live = to, .interval_ns = LEAT_MILLISECOND);
		stages(s);
		do {
			ssize_t n = read(fd[0], text + bytes, sizeof text - 1 - bytes);

			CHECK(n > 0);
			bytes += (size_t)n;
			text[bytes] = '\0';
			second = strstr(text + 1, "pipeline of");
		} while (!second);
		CHECK_EQ(strncmp(text, "pipeline of", 11), 0);
		CHECK(!strchr(text, '\033'));
	}
	fclose(to);
	close(fd[0]);
}

/* --- the process ends */

static int child(const char *how)
{
	char byte;
	scope(s, NULL);

	pipe_monitor(s, .live = stderr, .interval_ns = LEAT_MILLISECOND);
	stages(s);
	while (read(STDIN_FILENO, &byte, 1) < 0)
		;
	if (strcmp(how, "exit") == 0)
		exit(3);
	if (strcmp(how, "panic") == 0)
		leat_panic("the end");
	return 3;
}

static int run_child(const char *how, int sig)
{
	extern char **environ;
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t signals;
	char *arguments[] = {"pipe_live", NULL};
	int in[2], status;
	pid_t pid;

	CHECK(pipe2(in, O_CLOEXEC) == 0);
	pty_open(ROWS);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, pty.slave, STDERR_FILENO);
	/* A shell starts what runs in the background with some of them ignored. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGQUIT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	setenv("LIVE_CHILD", how, 1);
	CHECK(posix_spawn(&pid, "/proc/self/exe", &files, &attributes, arguments, environ) == 0);
	unsetenv("LIVE_CHILD");
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	close(in[0]);
	close(pty.slave);
	test_until(pty.tables > 2);
	if (sig)
		kill(pid, sig);
	else
		CHECK(write(in[1], "x", 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	close(in[1]);
	pty_read();
	terminal_init(&terminal);
	play(&terminal, pty.text);
	CHECK(terminal.tables > 1);
	CHECK_EQ(terminal.region, ROWS);
	for (int row = 1; row <= ROWS; row++)
		CHECK(strncmp(row_of(&terminal, row), "pipeline of", 11) != 0);
	return status;
}

TEST(terminal_is_put_back_however_the_process_ends)
{
	int status;

	for (int i = 0; i < 5; i++) {
		status = run_child("return", 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
		status = run_child("exit", 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
		status = run_child("panic", 0);
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
		CHECK(strstr(pty.text, "panic: the end"));
		status = run_child("signal", SIGQUIT); /* a report, without leaving any scope */
		CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 2);
		status = run_child("signal", SIGTERM);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
		status = run_child("signal", SIGINT);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
	}
}

int main(int argc, char **argv)
{
	if (getenv("LIVE_CHILD"))
		return child(getenv("LIVE_CHILD"));
	return test_main(argc, argv);
}
