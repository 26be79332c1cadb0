/* SPDX-License-Identifier: MIT */
/*
 * What goes out over a connection: responses, one after the other, and requests to upstreams.
 *
 *	reply_begin(r, 200);
 *	reply_field(r, "Content-Type", "text/plain");
 *	reply_length(r, 5);
 *	reply_end_head(r);
 *	reply_body(r, "hello", 5);
 *
 * It gathers in a buffer, which goes out when it is full, or by reply_flush: whoever is about to wait for the other side
 * flushes first.  So answers to requests that came together leave together.
 *
 * The first failure is kept in err; from then on nothing is written, and code need not look before its end.
 * One goroutine at a time.
 */
#ifndef HTTPD_REPLY_H
#define HTTPD_REPLY_H

#include "date.h"

#include <leat.h>

struct reply {
	leat_conn *conn;
	leat_ctx *ctx;       /* ends what waits */
	int64_t patience_ns; /* for each write that has to wait */
	int err;             /* 0, or a negative errno code */

	/* Of the response under way; for reply_begin to know. */
	bool head_only;  /* the request was a HEAD: bodies are not written */
	bool keep_alive; /* the connection goes on */
	int minor;       /* of the request's version */

	/* For the log: of the last response. */
	int status;
	uint64_t body_bytes;

	char *buffer; /* NULL: nothing waits in it */
	size_t n;
	int64_t deadline; /* as the connection knows it */
	int64_t second;   /* of date */
	char date[DATE_BYTES];
};

void reply_init(struct reply *r, leat_conn *conn, leat_ctx *ctx, int64_t patience_ns);

/* Gives the buffer back, with what is in it. */
void reply_drop(struct reply *r);

/* A head: status line, Date and Server; then fields; then the end, which says whether the connection goes on. */
void reply_begin(struct reply *r, int status);
void reply_line(struct reply *r, int status, const char *reason); /* the first line alone */
void reply_date(struct reply *r);
void reply_field(struct reply *r, const char *name, const char *value);
void reply_fieldf(struct reply *r, const char *name, const char *fmt, ...) LEAT__PRINTF(3, 4);
void reply_length(struct reply *r, uint64_t bytes);
void reply_end_head(struct reply *r);

/* Bodies; without effect for a HEAD. */
void reply_body(struct reply *r, const void *data, size_t n);
void reply_chunk(struct reply *r, const void *data, size_t n); /* n of 0: the last one */
void reply_file(struct reply *r, int fd, int64_t offset, uint64_t n);

/* What files may be asked for with. */
#define REPLY_ALLOW "GET, HEAD, OPTIONS"

/* A whole response that says only its status. */
void reply_status(struct reply *r, int status);

/* Whatever it may be. */
void reply_put(struct reply *r, const void *data, size_t n);
void reply_text(struct reply *r, const char *text);
void reply_flush(struct reply *r);

const char *reply_reason(int status);

#endif
