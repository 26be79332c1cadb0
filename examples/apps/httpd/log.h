/* SPDX-License-Identifier: MIT */
/*
 * The access log: a line for each response, in the common log format, with the seconds it took behind it.
 *
 *	127.0.0.1 - - [29/Nov/2026:17:46:22 +0000] "GET / HTTP/1.1" 200 612 0.000084
 *
 * One goroutine writes; requests hand it lines by a channel, and never wait: when it is 4,096 lines behind, as on a disk
 * that has stopped, lines are dropped, and a line says how many.
 */
#ifndef HTTPD_LOG_H
#define HTTPD_LOG_H

#include <leat.h>

struct log;

struct log_entry {
	const char *peer, *method, *target; /* method: NULL for what was no request */
	int minor, status;
	uint64_t bytes;
	int64_t took_ns;
};

/* "-" is standard output.  NULL, with errno, where the file cannot be opened. */
struct log *log_open(const char *path);

/* The goroutine is s's, and ends with log_end, after which nothing is logged; log_free when it has ended.  NULL does nothing. */
void log_start(struct log *log, leat_scope *s);
void log_end(struct log *log);
void log_free(struct log *log);

/* Any goroutine, also with a log of NULL.  reopen: from now on lines go to a new file of that name. */
void log_write(struct log *log, const struct log_entry *e);
void log_reopen(struct log *log);

#endif
