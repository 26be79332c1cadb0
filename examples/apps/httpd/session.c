/* SPDX-License-Identifier: MIT */
/*
 * A connection from its first request to its end.
 *
 * When a request was refused, the client may still be sending what nobody will read.  To close then would reset the
 * connection, and the answer might be lost on its way: so what comes is read, for a while, and dropped.
 */
#define _GNU_SOURCE
#include "server.h"

#include "proxy.h"
#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	SMALL_BODY_BYTES = 64 * 1024, /* what a request for a file may have, to be read and dropped */
	LINGER_BYTES = 1024 * 1024,
};

static const int64_t linger_ns = 2 * LEAT_SECOND;

/* --- one request */

/* The body of a request that has no use for one: read, if that is soon done, else the connection ends. */
static void drop_body(struct session *s)
{
	const char *data;
	ssize_t n = 0;

	if (message_done(s->in))
		return;
	if (!s->expects && s->head->framing == BODY_LENGTH && s->head->length <= SMALL_BODY_BYTES)
		while ((n = message_body(s->in, &data)) > 0)
			;
	if (n < 0 || !message_done(s->in))
		s->out.keep_alive = false;
}

static void options(struct session *s)
{
	reply_begin(&s->out, 204);
	reply_field(&s->out, "Allow", REPLY_ALLOW);
	reply_end_head(&s->out);
}

/* 0 when it was answered, or the status to answer with. */
static int answer(struct session *s)
{
	_Static_assert((int)PATH_BYTES <= (int)SCRATCH_BYTES, "a path is made there");
	const struct head *h = s->head;
	const char *host = h->known[FIELD_HOST], *expect = h->known[FIELD_EXPECT];
	struct upstream *upstream;
	char *path = message_scratch(s->in);
	int status = 0;

	if (h->method == METHOD_OTHER)
		return 501;
	if (host && !target_is_host(host))
		return 400;
	if (expect && h->minor > 0) {
		if (strcasecmp(expect, "100-continue") != 0)
			return 417;
		s->expects = h->framing != BODY_NONE;
	}
	if (h->framing == BODY_LENGTH && h->length > s->server->limits.body_bytes)
		return 413;
	if (h->method == METHOD_OPTIONS && strcmp(h->target, "*") == 0) {
		drop_body(s);
		options(s);
		return 0;
	}
	status = target_path(h->target, path);
	if (status)
		return status;
	upstream = upstream_find(s->server->upstreams, target_origin(h->target));
	if (upstream)
		return proxy_serve(s, upstream);
	drop_body(s);
	if (h->method == METHOD_OPTIONS)
		options(s);
	else if (h->method == METHOD_GET || h->method == METHOD_HEAD)
		status = files_serve(s, path);
	else
		status = 405;
	return status;
}

static void log_it(struct session *s, const struct head *h, int64_t began)
{
	if (s->server->log)
		log_write(s->server->log, &(struct log_entry){
		                              .peer = s->peer,
		                              .method = h ? h->method_name : NULL,
		                              .target = h ? h->target : NULL,
		                              .minor = h ? h->minor : 0,
		                              .status = s->out.status,
		                              .bytes = s->out.body_bytes,
		                              .took_ns = leat_now() - began,
		                          });
}

/* What was no request, or did not come in time. */
static void refuse(struct session *s, int err)
{
	int64_t began = leat_now();
	int status = message_refusal(s->in, err);

	if (!status)
		return;
	s->out.keep_alive = s->out.head_only = false;
	s->out.minor = 1;
	reply_status(&s->out, status);
	s->unread = true;
	log_it(s, NULL, began);
}

/* The next request; false when the connection is at its end. */
static bool serve_next(struct session *s)
{
	struct reply *out = &s->out;
	int64_t began;
	int status, err;

	s->unread = false;
	err = message_head(s->in);
	if (err) {
		refuse(s, err);
		return false;
	}
	began = leat_now();
	s->head = message_of(s->in);
	s->expects = false;
	out->head_only = s->head->method == METHOD_HEAD;
	out->minor = s->head->minor;
	out->keep_alive = s->head->keep_alive && !leat_ctx_err(s->server->open);
	status = answer(s);
	if (status) {
		out->keep_alive &= status != 400 && status != 413 && message_done(s->in);
		reply_status(out, status);
	}
	log_it(s, s->head, began);
	s->unread = !message_done(s->in) || !message_empty(s->in);
	return out->keep_alive && !out->err;
}

/* --- the connection */

static int flush(void *arg)
{
	struct session *s = arg;

	reply_flush(&s->out);
	return s->out.err;
}

static void linger(struct session *s)
{
	char dropped[4096];
	size_t n = 0;

	if (leat_conn_close_write(s->conn) ||
	    leat_conn_set_read_deadline(s->conn, leat_now() + linger_ns))
		return;
	while (n < LINGER_BYTES) {
		ssize_t r = leat_conn_read_ctx(s->conn, dropped, sizeof dropped, s->server->alive);

		if (r <= 0)
			return;
		n += (size_t)r;
	}
}

static void serve(void *arg)
{
	struct session *s = arg;

	while (serve_next(s))
		;
	reply_flush(&s->out);
	if (s->unread && !s->out.err)
		linger(s);
}

/* Its address alone, without the port and without brackets. */
static void name_peer(const leat_addr *peer, char name[LEAT_ADDR_TEXT])
{
	char *end;

	leat_addr_text(peer, name);
	end = strrchr(name, ':');
	if (end)
		*end = '\0';
	if (name[0] == '[') {
		end = strchr(name, ']');
		memmove(name, name + 1, (size_t)(end - name - 1));
		end[-1] = '\0';
	}
}

static void end(struct session *s)
{
	message_free(s->in);
	reply_drop(&s->out);
	leat_conn_free(s->conn);
}

void session_serve(struct server *server, leat_conn *conn)
{
	struct session s = {
	    .server = server,
	    .conn = conn,
	    .patience = {.idle = server->open,
	                 .ctx = server->alive,
	                 .idle_ns = server->idle_ns,
	                 .head_ns = server->head_ns,
	                 .body_ns = server->body_ns,
	                 .flush = flush,
	                 .arg = &s},
	};
	leat_addr peer = leat_conn_remote(conn);
	leat_panic_info panic;

	name_peer(&peer, s.peer);
	reply_init(&s.out, conn, server->alive, server->write_ns);
	defer(end, &s);
	s.in = message_new(MESSAGE_REQUEST, conn, &server->limits, &s.patience);
	if (!s.in) {
		reply_status(&s.out, 503);
		reply_flush(&s.out);
	} else if (leat_catch(serve, &s, &panic)) {
		fprintf(stderr, "httpd: serving %s: panic: %s\n", s.peer, panic.message);
	}
}
