/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "log.h"

#include "date.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	LINE_BYTES = 1000, /* longer targets are cut */
	TARGET_BYTES = 800,
	BEHIND = 4096,
	BATCH_BYTES = 64 * 1024,
};

struct line {
	size_t n;
	char text[LINE_BYTES];
};

struct log {
	char *path; /* NULL: standard output */
	int fd;     /* the writer's */
	chan(struct line *) lines;
	chan(leat_empty) reopen;
	_Atomic uint64_t dropped;
	size_t n; /* in batch, the writer's */
	char batch[BATCH_BYTES];
};

static void *line_make(void *arg)
{
	(void)arg;
	return malloc(sizeof(struct line));
}

static leat_pool lines = {.make = line_make};

static int open_path(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

struct log *log_open(const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	int fd = standard ? STDOUT_FILENO : open_path(path);
	struct log *log = fd < 0 ? NULL : calloc(1, sizeof *log);

	if (!log)
		return NULL;
	log->fd = fd;
	log->path = standard ? NULL : strdup(path);
	log->lines = chan_make(struct line *, BEHIND);
	log->reopen = chan_make(leat_empty, 1);
	return log;
}

/* --- the writer */

static void write_batch(struct log *log)
{
	const char *at = log->batch;

	while (log->n) {
		ssize_t n = write(log->fd, at, log->n);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) { /* a full disk, nobody at the pipe: there is nobody to tell */
			atomic_fetch_add(&log->dropped, 1);
			log->n = 0;
			return;
		}
		at += n;
		log->n -= (size_t)n;
	}
}

static void add(struct log *log, const char *text, size_t n)
{
	if (log->n + n > BATCH_BYTES)
		write_batch(log);
	memcpy(log->batch + log->n, text, n);
	log->n += n;
}

static void tell_dropped(struct log *log)
{
	uint64_t dropped = atomic_exchange(&log->dropped, 0);
	char text[64];
	int n;

	if (!dropped)
		return;
	n = snprintf(text, sizeof text, "# %" PRIu64 " dropped\n", dropped);
	add(log, text, (size_t)n);
}

static void reopen(struct log *log)
{
	int fd;

	write_batch(log);
	if (!log->path)
		return;
	fd = open_path(log->path);
	if (fd < 0) {
		fprintf(stderr, "httpd: %s: %s; the old log goes on\n", log->path, strerror(errno));
		return;
	}
	close(log->fd);
	log->fd = fd;
}

/* Lines that are there already go out together. */
static void take_lines(struct log *log, struct line *line)
{
	bool open = true;

	do {
		if (!line)
			break;
		add(log, line->text, line->n);
		leat_pool_put(&lines, line);
	} while (chan_try_recv(log->lines, &line, &open) && open);
	tell_dropped(log);
	write_batch(log);
}

struct run_log {
	struct log *log;
};

static void run_log(struct run_log *a)
{
	bool on = true;

	while (on) {
		chan_select {
			case_recv(a->log->lines, line, ok) {
				take_lines(a->log, ok ? line : NULL);
				on = ok;
			}
			case_recv(a->log->reopen)
				reopen(a->log);
		}
	}
}

void log_start(struct log *log, leat_scope *s)
{
	scope_go(s, run_log, .log = log);
}

void log_end(struct log *log)
{
	if (log)
		chan_close(log->lines);
}

void log_free(struct log *log)
{
	if (!log)
		return;
	chan_free(log->lines);
	chan_free(log->reopen);
	if (log->path)
		close(log->fd);
	free(log->path);
	free(log);
}

void log_reopen(struct log *log)
{
	if (log)
		chan_try_send(log->reopen, (leat_empty){});
}

/* --- the requests */

/* Nothing of the other side's may end a line or a quotation. */
static size_t escape(char *to, size_t room, const char *from)
{
	size_t n = 0;

	for (; *from && n + 4 < room; from++) {
		unsigned char c = (unsigned char)*from;

		if (c < ' ' || c >= 127 || c == '"' || c == '\\')
			n += (size_t)sprintf(to + n, "\\x%02x", c);
		else
			to[n++] = (char)c;
	}
	to[n] = '\0';
	return n;
}

void log_write(struct log *log, const struct log_entry *e)
{
	char date[DATE_BYTES], target[TARGET_BYTES] = "";
	struct line *line;
	int n;

	if (!log)
		return;
	line = leat_pool_get(&lines);
	if (!line)
		goto drop;
	date_log_text(date_now(), date);
	if (e->method)
		escape(target, sizeof target, e->target);
	n = snprintf(line->text, sizeof line->text, "%s - - [%s] \"%s%s%s%s\" %d %" PRIu64 " %.6f\n",
	             e->peer, date, e->method ? e->method : "-", e->method ? " " : "", target,
	             !e->method ? ""
	             : e->minor ? " HTTP/1.1"
	                        : " HTTP/1.0",
	             e->status, e->bytes, (double)e->took_ns / 1e9);
	line->n = (size_t)n;
	if (n > 0 && (size_t)n < sizeof line->text && chan_try_send(log->lines, line))
		return;
	leat_pool_put(&lines, line);
drop:
	atomic_fetch_add(&log->dropped, 1);
}
