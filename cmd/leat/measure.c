/* SPDX-License-Identifier: MIT */
/*
 * Run a program over and over: see measure.h.
 *
 * What the program writes to stderr goes into a file without a name, emptied before each run, and is shown
 * when a run fails: a panic says there what was wrong.
 */
#define _GNU_SOURCE
#include "measure.h"

#include "child.h"
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SHOWN = 16384 }; /* bytes of a failed run's stderr, the last ones */

static void *or_die(void *memory)
{
	if (!memory) {
		complain("out of memory");
		exit(EXIT_CANNOT);
	}
	return memory;
}

void measure_init(struct measure *m, const int *procs, size_t count)
{
	m->counts = or_die(calloc(count, sizeof *m->counts));
	m->count = count;
	for (size_t i = 0; i < count; i++) {
		m->counts[i].procs = procs[i];
		m->counts[i].wall_s = or_die(calloc(m->runs, sizeof(double)));
		m->counts[i].cpu_s = or_die(calloc(m->runs, sizeof(double)));
	}
}

void measure_done(struct measure *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->counts[i].wall_s);
		free(m->counts[i].cpu_s);
	}
	free(m->counts);
	m->counts = NULL;
	m->count = 0;
}

static bool open_files(const struct measure *m, struct child_files *files)
{
	const char *input = m->input ? m->input : "/dev/null";

	files->in = open(input, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO is not waited for */
	if (files->in < 0) {
		complain("%s: %s", input, strerror(errno));
		return false;
	}
	if (m->output)
		return true;
	files->out = open("/dev/null", O_WRONLY | O_CLOEXEC);
	files->error = memfd_create("stderr", MFD_CLOEXEC);
	if (files->out >= 0 && files->error >= 0)
		return true;
	complain("cannot make a place for the output: %s", strerror(errno));
	return false;
}

static void close_files(struct child_files files)
{
	if (files.in >= 0)
		close(files.in);
	if (files.out >= 0)
		close(files.out);
	if (files.error >= 0)
		close(files.error);
}

/* Both are shared with the run before, and are where that left them. */
static bool rewind_files(const struct measure *m, struct child_files files)
{
	if (m->input && lseek(files.in, 0, SEEK_SET) < 0) {
		complain("%s: cannot be read again for each run: %s", m->input, strerror(errno));
		return false;
	}
	if (files.error >= 0 &&
	    (ftruncate(files.error, 0) < 0 || lseek(files.error, 0, SEEK_SET) < 0)) {
		complain("cannot make a place for the output: %s", strerror(errno));
		return false;
	}
	return true;
}

static void show_stderr(int fd)
{
	static char text[SHOWN];
	struct stat st;
	off_t begin = 0;
	ssize_t length;

	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	if (st.st_size > SHOWN)
		begin = st.st_size - SHOWN;
	length = pread(fd, text, sizeof text, begin);
	if (length <= 0)
		return;
	complain("it wrote to stderr%s:", begin ? ", at the end" : "");
	fwrite(text, 1, (size_t)length, stderr);
	if (text[length - 1] != '\n')
		fputc('\n', stderr);
}

static size_t runs_so_far(const struct measure *m)
{
	size_t runs = 0;

	for (size_t i = 0; i < m->count; i++)
		runs += m->counts[i].runs;
	return runs;
}

static void report(const struct measure *m, const struct measure_count *c, bool warmup,
                   struct child_end end)
{
	size_t before = runs_so_far(m);
	char how[160], where[80];

	if (end.error) {
		complain("cannot start %s: %s%s", m->argv[0], strerror(-end.error),
		         end.error == -ENOENT && !strchr(m->argv[0], '/') && access(m->argv[0], X_OK) == 0
		             ? " in PATH (the one in this folder is ./ and its name)"
		             : "");
		return;
	}
	if (warmup)
		snprintf(where, sizeof where, "the warm-up run with LEAT_PROCS=%d", c->procs);
	else
		snprintf(where, sizeof where, "run %zu with LEAT_PROCS=%d", c->runs + 1, c->procs);
	if (WIFSIGNALED(end.status))
		snprintf(how, sizeof how, "was killed by signal %d (%s%s)", WTERMSIG(end.status),
		         strsignal(WTERMSIG(end.status)), WCOREDUMP(end.status) ? ", core dumped" : "");
	else
		snprintf(how, sizeof how, "ended with status %d", WEXITSTATUS(end.status));
	if (before)
		complain("%s %s in %s; %zu before it had ended with status 0", m->name, how, where, before);
	else
		complain("%s %s in %s", m->name, how, where);
}

/* One run, kept unless it is a warm-up.  False: it is over. */
static bool run_once(struct measure *m, struct measure_count *c, bool keep,
                     struct child_files files)
{
	struct child_end end;
	char procs[16];

	m->end = MEASURE_FAILED;
	if (!rewind_files(m, files))
		return false;
	snprintf(procs, sizeof procs, "%d", c->procs);
	if (setenv("LEAT_PROCS", procs, 1) < 0) {
		complain("out of memory");
		return false;
	}
	end = child_run_with(m->argv, CHILD_PROGRAM, files);
	if (end.interrupted || end.stop) {
		m->signal = end.interrupted ? end.interrupted : end.stop;
		m->end = MEASURE_STOPPED;
		return false;
	}
	if (end.error || !WIFEXITED(end.status) || WEXITSTATUS(end.status)) {
		if (m->progress)
			fputs("\r\033[K", stderr);
		report(m, c, !keep, end);
		if (!end.error)
			show_stderr(files.error);
		return false;
	}
	m->end = MEASURE_COMPLETE;
	if (keep) {
		c->wall_s[c->runs] = (double)end.wall_ns / 1e9;
		c->cpu_s[c->runs] = (double)end.cpu_ns / 1e9;
		c->runs++;
	}
	return true;
}

static bool run_round(struct measure *m, size_t round, struct child_files files)
{
	bool warmup = m->warmup && round == 0, down = (round + m->warmup) % 2;

	for (size_t i = 0; i < m->count; i++) {
		struct measure_count *c = &m->counts[down ? m->count - 1 - i : i];

		if (m->progress) {
			if (warmup)
				fputs("\rwarming up", stderr);
			else
				fprintf(stderr, "\rround %zu of %zu", round + !m->warmup, m->runs);
			fprintf(stderr, ", %d processor%s\033[K", c->procs, c->procs == 1 ? "" : "s");
		}
		if (!run_once(m, c, !warmup, files))
			return false;
	}
	return true;
}

void measure_run(struct measure *m)
{
	struct child_files files = {-1, -1, -1};

	m->end = MEASURE_FAILED;
	if (open_files(m, &files))
		for (size_t round = 0; round < m->runs + m->warmup; round++)
			if (!run_round(m, round, files))
				break;
	if (m->progress)
		fputs("\r\033[K", stderr);
	close_files(files);
}
