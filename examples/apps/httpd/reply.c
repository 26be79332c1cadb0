/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "reply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BUFFER_BYTES = 16 * 1024,
	FIELD_BYTES = 512, /* of a formatted value */
	SMALL_FILE_BYTES =
	    8 * 1024,             /* up to here a file is read into the buffer: one system call less */
	PIECE_BYTES = 256 * 1024, /* of a file, within each patience_ns */
};

static void *buffer_make(void *arg)
{
	(void)arg;
	return malloc(BUFFER_BYTES);
}

static leat_pool buffers = {.make = buffer_make};

void reply_init(struct reply *r, leat_conn *conn, leat_ctx *ctx, int64_t patience_ns)
{
	*r = (struct reply){.conn = conn,
	                    .ctx = ctx,
	                    .patience_ns = patience_ns,
	                    .deadline = LEAT_FOREVER,
	                    .second = -1};
}

void reply_drop(struct reply *r)
{
	leat_pool_put(&buffers, r->buffer);
	r->buffer = NULL;
	r->n = 0;
}

/* --- out */

/* A deadline that is right to a sixteenth stays: to move it costs. */
static void within(struct reply *r)
{
	int64_t at = leat_now() + r->patience_ns;

	if (r->deadline <= at && r->deadline >= at - r->patience_ns / 16)
		return;
	if (leat_conn_set_write_deadline(r->conn, at) == 0)
		r->deadline = at;
}

static void write_out(struct reply *r, const void *data, size_t n)
{
	if (r->err || !n)
		return;
	within(r);
	r->err = leat_conn_write_ctx(r->conn, data, n, r->ctx, NULL);
}

void reply_flush(struct reply *r)
{
	write_out(r, r->buffer, r->n);
	reply_drop(r);
}

/* So many bytes' place, at most a buffer's. */
static char *reserve(struct reply *r, size_t n)
{
	if (r->n + n > BUFFER_BYTES)
		reply_flush(r);
	if (!r->buffer)
		r->buffer = leat_pool_get(&buffers);
	if (!r->buffer && !r->err)
		r->err = -ENOMEM;
	return r->err ? NULL : r->buffer + r->n;
}

void reply_put(struct reply *r, const void *data, size_t n)
{
	char *to;

	if (!n)
		return;
	if (n > BUFFER_BYTES) {
		reply_flush(r);
		write_out(r, data, n);
	} else if ((to = reserve(r, n))) {
		memcpy(to, data, n);
		r->n += n;
	}
}

void reply_text(struct reply *r, const char *text)
{
	reply_put(r, text, strlen(text));
}

/* --- heads */

static const struct {
	int status;
	const char *reason;
} reasons[] = {
    {200, "OK"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

const char *reply_reason(int status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

void reply_line(struct reply *r, int status, const char *reason)
{
	char code[24];

	r->status = status;
	r->body_bytes = 0;
	reply_put(r, code, (size_t)snprintf(code, sizeof code, "HTTP/1.1 %d ", status));
	reply_text(r, reason);
	reply_put(r, "\r\n", 2);
}

void reply_date(struct reply *r)
{
	int64_t now = date_now();

	if (now != r->second) {
		r->second = now;
		date_text(now, r->date);
	}
	reply_field(r, "Date", r->date);
}

void reply_begin(struct reply *r, int status)
{
	reply_line(r, status, reply_reason(status));
	reply_date(r);
	reply_text(r, "Server: leat-httpd\r\n");
}

void reply_field(struct reply *r, const char *name, const char *value)
{
	reply_text(r, name);
	reply_put(r, ": ", 2);
	reply_text(r, value);
	reply_put(r, "\r\n", 2);
}

void reply_fieldf(struct reply *r, const char *name, const char *fmt, ...)
{
	char value[FIELD_BYTES];
	va_list args;

	va_start(args, fmt);
	vsnprintf(value, sizeof value, fmt, args);
	va_end(args);
	reply_field(r, name, value);
}

void reply_length(struct reply *r, uint64_t bytes)
{
	reply_fieldf(r, "Content-Length", "%" PRIu64, bytes);
}

void reply_end_head(struct reply *r)
{
	if (!r->keep_alive)
		reply_text(r, "Connection: close\r\n");
	else if (r->minor == 0)
		reply_text(r, "Connection: keep-alive\r\n");
	reply_put(r, "\r\n", 2);
}

/* --- bodies */

void reply_body(struct reply *r, const void *data, size_t n)
{
	if (r->head_only)
		return;
	reply_put(r, data, n);
	r->body_bytes += n;
}

void reply_chunk(struct reply *r, const void *data, size_t n)
{
	char size[24];

	if (r->head_only)
		return;
	reply_put(r, size, (size_t)snprintf(size, sizeof size, "%zx\r\n", n));
	reply_body(r, data, n);
	reply_put(r, "\r\n", 2);
}

/* Part of a file; one that has become shorter cannot be sent any more, since its length was said. */
static void small_file(struct reply *r, int fd, int64_t offset, size_t n)
{
	char *to = reserve(r, n);

	while (to && n && !r->err) {
		ssize_t got = pread(fd, to, n, offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			r->err = got < 0 ? -errno : -EIO;
			return;
		}
		to += got;
		offset += got;
		n -= (size_t)got;
		r->n += (size_t)got;
		r->body_bytes += (size_t)got;
	}
}

void reply_file(struct reply *r, int fd, int64_t offset, uint64_t n)
{
	if (r->head_only)
		return;
	if (n <= SMALL_FILE_BYTES) {
		small_file(r, fd, offset, (size_t)n);
		return;
	}
	reply_flush(r);
	while (n && !r->err) {
		size_t piece = n < PIECE_BYTES ? (size_t)n : PIECE_BYTES, written = 0;

		within(r);
		r->err = leat_conn_sendfile(r->conn, fd, offset, piece, r->ctx, &written);
		if (!r->err && written < piece)
			r->err = -EIO;
		offset += (int64_t)written;
		n -= written;
		r->body_bytes += written;
	}
}

void reply_status(struct reply *r, int status)
{
	char text[64];
	int n = snprintf(text, sizeof text, "%d %s\n", status, reply_reason(status));

	reply_begin(r, status);
	reply_field(r, "Content-Type", "text/plain; charset=utf-8");
	reply_length(r, (uint64_t)n);
	if (status == 405)
		reply_field(r, "Allow", REPLY_ALLOW);
	reply_end_head(r);
	reply_body(r, text, (size_t)n);
}
