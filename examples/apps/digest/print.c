/* SPDX-License-Identifier: MIT */
/*
 * The last stage, print: takes the jobs in the order of the walk, waits for each to be done, and
 * writes.  It alone touches standard output and standard error, so nothing needs a lock and lines,
 * complaints and the progress bar never get in each other's way.
 */
#include "digest.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define REDRAW_NS (100 * LEAT_MILLISECOND)

struct printer {
	const struct print *a;
	uint64_t files;
	int status; /* what to exit with */
	bool quiet; /* print no further line */
	bool has_bar, bar_drawn, out_is_terminal;
	int64_t begin, redraw_at;
	size_t at_once; /* bytes that standard output takes without waiting when it is ready */
	size_t used;    /* of out */
	char out[64 * 1024];
};

static void bar_clear(struct printer *p)
{
	if (p->bar_drawn) {
		fputs("\r\033[K", stderr);
		fflush(stderr);
	}
	p->bar_drawn = false;
}

static void format_bytes(char *to, size_t room, double bytes)
{
	static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
	size_t unit = 0;

	for (; bytes >= 1024 && unit < 5; unit++)
		bytes /= 1024;
	snprintf(to, room, "%.*f %s", unit > 0, bytes, units[unit]);
}

/* Files, bytes, rate, and an arrow that goes to and fro, for nobody knows how much is to come. */
static void bar_draw(struct printer *p)
{
	struct winsize window = {0};
	uint64_t bytes = atomic_load_explicit(p->a->bytes, memory_order_relaxed);
	int64_t now = leat_now(), elapsed = now - p->begin;
	char amount[32], rate[32], text[160];
	int columns, len, room;

	p->redraw_at = now + REDRAW_NS;
	columns = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0 ? window.ws_col : 0;
	if (columns <= 0)
		columns = 80;
	format_bytes(amount, sizeof amount, (double)bytes);
	format_bytes(rate, sizeof rate, (double)bytes * LEAT_SECOND / (double)(elapsed + 1));
	len = snprintf(text, sizeof text, "%llu files, %s, %s/s", (unsigned long long)p->files, amount,
	               rate);
	room = columns - 1 - len - (int)sizeof " [<=>]" + 1;
	if (room > 20)
		room = 20;
	if (room > 0) {
		int turn = (int)(elapsed / REDRAW_NS % (2 * room));
		int left = turn < room ? turn : 2 * room - turn;

		snprintf(text + len, sizeof text - (size_t)len, " [%*s<=>%*s]", left, "", room - left, "");
	}
	fprintf(stderr, "\r%.*s\033[K", columns - 1, text); /* the last column would wrap */
	fflush(stderr);
	p->bar_drawn = true;
}

/* Write what was collected.  Pipes and terminals get no more than fits, so that a reader who is slow
   or asleep cannot keep us from stopping. */
static void flush(struct printer *p)
{
	ssize_t n = 0;

	if (p->used > 0 && p->out_is_terminal)
		bar_clear(p);
	for (size_t at = 0; at < p->used; at += (size_t)n) {
		size_t left = p->used - at;

		n = try_wait(STDOUT_FILENO, POLLOUT, p->a->brake->wake);
		if (n == 0)
			n = try_write(STDOUT_FILENO, p->out + at, left < p->at_once ? left : p->at_once);
		if (n < 0)
			break;
	}
	p->used = 0;
	if (n >= 0)
		return;
	p->quiet = true;
	if (n == -EPIPE) {
		p->status = EXIT_SIGNAL + SIGPIPE; /* nobody reads it any more, which is no error */
	} else if (n != -ECANCELED) {
		bar_clear(p);
		fprintf(stderr, "digest: cannot write: %s\n", strerror((int)-n));
		p->status = EXIT_TROUBLE;
	}
	scope_cancel(p->a->brake->scope);
}

static void put(struct printer *p, const char *text, size_t bytes)
{
	while (bytes > 0 && !p->quiet) {
		size_t room = sizeof p->out - p->used, n = bytes < room ? bytes : room;

		memcpy(p->out + p->used, text, n);
		p->used += n;
		text += n;
		bytes -= n;
		if (p->used == sizeof p->out)
			flush(p);
	}
}

/* The line of sha256sum: names with a backslash, newline or return are escaped, and say so. */
static void put_digest(struct printer *p, const struct job *job)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * sizeof job->hash + 2];
	const char *name = job->path;

	for (size_t i = 0; i < sizeof job->hash; i++) {
		hex[2 * i] = digits[job->hash[i] >> 4];
		hex[2 * i + 1] = digits[job->hash[i] & 15];
	}
	hex[sizeof hex - 2] = hex[sizeof hex - 1] = ' ';
	if (strpbrk(name, "\\\n\r"))
		put(p, "\\", 1);
	put(p, hex, sizeof hex);
	while (*name) {
		size_t plain = strcspn(name, "\\\n\r");

		put(p, name, plain);
		name += plain;
		if (*name) {
			put(p, *name == '\\' ? "\\\\" : *name == '\n' ? "\\n" : "\\r", 2);
			name++;
		}
	}
	put(p, "\n", 1);
}

/* One line on stderr, whatever bytes the name has: a terminal is not to obey them. */
static void complain(struct printer *p, const struct job *job)
{
	flush(p); /* what was found before it comes before it */
	bar_clear(p);
	fputs("digest: ", stderr);
	for (const unsigned char *c = (const unsigned char *)job->path; *c; c++)
		fprintf(stderr, *c < ' ' || *c == 0x7f ? "\\%03o" : "%c", *c);
	fprintf(stderr, ": %s\n", job->err ? strerror(-job->err) : job->note);
	p->status = EXIT_TROUBLE;
}

/* How long to wait before the bar needs us. */
static int64_t until_redraw(struct printer *p)
{
	return p->has_bar ? p->redraw_at - leat_now() : LEAT_FOREVER;
}

/* The next job in the order of the walk, NULL when there is none left. */
static struct job *next_job(struct printer *p)
{
	struct job *job;

	if (chan_try_recv(p->a->ordered, &job, NULL))
		return job;
	flush(p); /* whoever reads our lines should not wait for them while we do */
	for (;;) {
		chan_select {
			case_recv(p->a->ordered, next)
				return next;
			case_timeout(until_redraw(p))
				bar_draw(p);
		}
	}
}

static void wait_for(struct printer *p, struct job *job)
{
	bool done = chan_try_recv(job->done, NULL, NULL);

	if (!done)
		flush(p);
	while (!done) {
		chan_select {
			case_recv(job->done)
				done = true;
			case_timeout(until_redraw(p))
				bar_draw(p);
		}
	}
}

int print(const struct print *a)
{
	struct printer printer = {.a = a, .begin = leat_now(), .at_once = PIPE_BUF}, *p = &printer;
	struct stat out;

	p->redraw_at = p->begin + REDRAW_NS;
	p->has_bar = isatty(STDERR_FILENO);
	p->out_is_terminal = isatty(STDOUT_FILENO);
	if (try_fstat(STDOUT_FILENO, &out) == 0 && S_ISREG(out.st_mode))
		p->at_once = sizeof p->out;
	setvbuf(stderr, NULL, _IOLBF, BUFSIZ); /* a complaint is one write */

	for (struct job *job; (job = next_job(p)); chan_send(a->spare, job)) {
		wait_for(p, job);
		if (job->fd >= 0)
			pipe_stage_begin(a->stage);
		if (job->err == -ECANCELED)
			p->quiet = true; /* lines behind a gap would pretend that there is none */
		if (!p->quiet) {
			if (job->err || job->note)
				complain(p, job);
			else
				put_digest(p, job);
			p->files++;
		}
		free(job->path);
		if (until_redraw(p) <= 0)
			bar_draw(p);
		pipe_stage_end(a->stage);
	}
	flush(p);
	bar_clear(p);
	return p->status;
}
