/* SPDX-License-Identifier: MIT */
/*
 * A request goes to an upstream, its answer back; nothing is kept but what is on its way, so whoever reads slowly slows down
 * whoever writes.
 *
 * A body of the client's is sent by a goroutine of its own: upstreams may answer before they have read all of it, or
 * while they read.  Meanwhile the client's message is that goroutine's, what goes to the client the session's.  It ends
 * with a context below the server's; whether it has read the body to its end decides whether the client's connection can
 * go on.
 *
 * Retries.  A connection that was kept may be closed by the other side at any time, also just now.  So a request without a
 * body whose method may be repeated (RFC 9110, 9.2.2) goes over one of these, and when that ends before a byte
 * of an answer, over another.  All others get a fresh connection, and are sent once.
 *
 * Lengths.  A head is made anew, from fields that were understood, and bodies are framed anew: what this server reads in one way
 * cannot be read in another behind it.
 */
#define _GNU_SOURCE
#include "proxy.h"

#include "target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* --- fields */

/* Is name among those of the list?  "close, x-secret" */
static bool in_list(const char *list, const char *name)
{
	size_t n = strlen(name);

	for (;;) {
		list += strspn(list, " \t,");
		if (!*list)
			return false;
		if (strncasecmp(list, name, n) == 0 && (!list[n] || strchr(" \t,", list[n])))
			return true;
		list += strcspn(list, ",");
	}
}

/* Those of one connection, not of the whole way, and those that are made anew. */
static bool stays_here(const struct head *h, const char *name)
{
	static const char *const names[] = {
	    "Connection",
	    "Content-Length",
	    "Expect",
	    "Keep-Alive",
	    "Proxy-Authenticate",
	    "Proxy-Authorization",
	    "Proxy-Connection",
	    "TE",
	    "Trailer",
	    "Transfer-Encoding",
	    "Upgrade",
	    "X-Forwarded-Host",
	    "X-Forwarded-Proto",
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcasecmp(name, names[i]) == 0)
			return true;
	for (int i = 0; i < h->n; i++)
		if (h->fields[i].known == FIELD_CONNECTION && in_list(h->fields[i].value, name))
			return true;
	return false;
}

static void pass_fields(struct reply *to, const struct head *h)
{
	for (int i = 0; i < h->n; i++)
		if (h->fields[i].known != FIELD_HOST && !stays_here(h, h->fields[i].name))
			reply_field(to, h->fields[i].name, h->fields[i].value);
}

/* --- to the upstream */

/* Of a target that names a host that one counts, not the field. */
static void pass_host(struct reply *to, const struct session *s, const struct upstream *u)
{
	const char *target = s->head->target, *path = target_origin(target);
	const char *host = s->head->known[FIELD_HOST];

	if (path != target) {
		const char *name = target + strlen("http://");

		reply_text(to, "Host: ");
		reply_put(to, name, strcspn(name, "/?#"));
		reply_put(to, "\r\n", 2);
	} else {
		reply_field(to, "Host", host ? host : u->address);
	}
	if (host)
		reply_field(to, "X-Forwarded-Host", host);
}

static void send_head(struct reply *to, const struct session *s, const struct upstream *u)
{
	const struct head *h = s->head;
	const char *path = target_origin(h->target);

	reply_text(to, h->method_name);
	reply_text(to, " ");
	if (u->path) {
		path += strlen(u->prefix);
		reply_text(to, u->path);
		if (!*u->path && *path != '/')
			reply_text(to, "/");
	}
	reply_text(to, path);
	reply_text(to, " HTTP/1.1\r\n");
	pass_host(to, s, u);
	pass_fields(to, h);
	reply_field(to, "X-Forwarded-For", s->peer);
	reply_field(to, "X-Forwarded-Proto", "http");
	reply_fieldf(to, "Via", "1.%d leat-httpd", h->minor);
	if (h->framing == BODY_CHUNKED)
		reply_field(to, "Transfer-Encoding", "chunked");
	else if (h->known[FIELD_CONTENT_LENGTH])
		reply_length(to, h->length);
	reply_put(to, "\r\n", 2);
}

/* The client's body on its way; read_all, err and status are for the session to read. */
struct upload {
	struct session *s;
	struct link *link;
	_Atomic bool read_all; /* set before what is last is written */
	_Atomic int status;    /* the client is to be told, which has sent no body */
	leat_waitgroup done;
};

struct send_body {
	struct upload *upload;
};

static void send_body(struct send_body *a)
{
	struct upload *u = a->upload;
	struct message *in = u->s->in;
	struct reply *to = &u->link->out;
	bool chunked = u->s->head->framing == BODY_CHUNKED;
	const char *data;
	ssize_t n;

	reply_flush(to);
	while ((n = message_body(in, &data)) > 0 && !to->err) {
		u->read_all = message_done(in);
		if (chunked)
			reply_chunk(to, data, (size_t)n);
		else
			reply_body(to, data, (size_t)n);
		reply_flush(to);
	}
	u->read_all = message_done(in);
	if (n == 0 && chunked)
		reply_chunk(to, NULL, 0);
	reply_flush(to);
	if (n < 0) {
		u->status = message_refusal(in, (int)n);
		leat_conn_close(u->link->conn); /* whoever waits there waits for nothing */
	}
	leat_waitgroup_done(&u->done);
}

/* Begin to send the body; the end is end_upload. */
static void begin_upload(struct upload *u, struct session *s, struct link *l)
{
	u->s = s;
	u->link = l;
	if (s->expects) {
		reply_text(&s->out, "HTTP/1.1 100 Continue\r\n\r\n");
		s->expects = false;
	}
	reply_flush(&s->out);
	s->patience.flush = NULL; /* what goes to the client is not the goroutine's */
	s->patience.ctx = l->out.ctx = leat_ctx_with_cancel(s->server->alive);
	leat_waitgroup_add(&u->done, 1);
	go(send_body, u);
}

static void end_upload(struct upload *u, int (*flush)(void *))
{
	struct session *s = u->s;
	leat_ctx *ctx = s->patience.ctx;

	leat_ctx_cancel(ctx);
	leat_waitgroup_wait(&u->done);
	s->patience.flush = flush;
	s->patience.ctx = u->link->out.ctx = s->server->alive;
	leat_ctx_free(ctx);
}

/* --- back to the client */

enum {
	STALE = -1, /* in place of a status: nothing came over a connection that was kept */
	MOST_INTERIM =
	    16, /* answers before the answer, each of which may take as long as an answer may */
};

/* The head of the answer: 0, a status, or STALE. */
static int receive_head(struct session *s, struct link *l)
{
	const struct head *h = message_of(l->in);

	for (int interim = 0; interim <= MOST_INTERIM; interim++) {
		int err = message_head(l->in);

		if (err == -ETIMEDOUT || err == -ECANCELED)
			return 504;
		if (s->out.err) /* the client has gone */
			return 502;
		if (err)
			return l->used && err != -EPROTO && !message_began(l->in) ? STALE : 502;
		if (h->status == 101 || h->status < 100)
			return 502;
		if (h->status >= 200)
			return 0;
	}
	return 502;
}

static void relay_head(struct session *s, const struct head *h, bool bodiless)
{
	struct reply *to = &s->out;
	bool dated = false;

	for (int i = 0; i < h->n; i++)
		dated |= strcasecmp(h->fields[i].name, "Date") == 0;
	if (!bodiless && h->framing != BODY_LENGTH && h->framing != BODY_NONE && to->minor == 0)
		to->keep_alive = false; /* how else would it know the end? */
	reply_line(to, h->status, h->reason);
	if (!dated)
		reply_date(to);
	pass_fields(to, h);
	reply_field(to, "Via", "1.1 leat-httpd");
	if (h->known[FIELD_CONTENT_LENGTH] && h->status != 204)
		reply_field(to, "Content-Length", h->known[FIELD_CONTENT_LENGTH]);
	else if (!bodiless && h->framing == BODY_NONE)
		reply_length(to, 0);
	else if (!bodiless && to->minor > 0)
		reply_field(to, "Transfer-Encoding", "chunked");
	reply_end_head(to);
}

/* The body; where that fails the client cannot be told but by the end of its connection. */
static void relay_body(struct session *s, struct link *l, enum framing framing)
{
	struct reply *to = &s->out;
	bool chunked = framing != BODY_LENGTH && to->minor > 0;
	const char *data;
	ssize_t n;

	while ((n = message_body(l->in, &data)) > 0 && !to->err) {
		if (chunked)
			reply_chunk(to, data, (size_t)n);
		else
			reply_body(to, data, (size_t)n);
	}
	if (n < 0) {
		reply_flush(to);
		to->keep_alive = false;
		to->err = to->err ? to->err : (int)n;
	} else if (n == 0 && chunked) {
		reply_chunk(to, NULL, 0);
	}
}

static int relay(struct session *s, struct link *l, const struct upload *u)
{
	const struct head *h = message_of(l->in);
	int status = receive_head(s, l);
	bool bodiless;

	if (u && u->status)
		return u->status;
	if (status)
		return status;
	bodiless = s->head->method == METHOD_HEAD || h->status == 204 || h->status == 304;
	if (bodiless)
		message_has_no_body(l->in);
	if (u && !u->read_all)
		s->out.keep_alive = false;
	relay_head(s, h, bodiless);
	if (!bodiless && h->framing != BODY_NONE)
		relay_body(s, l, h->framing);
	return 0;
}

/* --- */

static int flush_client(void *arg)
{
	struct reply *client = arg;

	reply_flush(client);
	return client->err;
}

/* Once over l, which this puts back: 0, a status, or STALE. */
static int exchange(struct session *s, struct upstream *up, struct link *l)
{
	int (*flush)(void *) = s->patience.flush;
	bool has_body = s->head->framing != BODY_NONE;
	struct upload upload = {0};
	int status;

	send_head(&l->out, s, up);
	if (has_body)
		begin_upload(&upload, s, l);
	else
		reply_flush(&l->out);
	l->patience.flush = flush_client; /* before each wait for more */
	l->patience.arg = &s->out;
	status = relay(s, l, has_body ? &upload : NULL);
	l->patience.flush = NULL;
	if (has_body)
		end_upload(&upload, flush);
	link_put(l, status == 0 && message_of(l->in)->keep_alive && !l->out.err &&
	                (!has_body || message_done(s->in)));
	return status;
}

/* May it be sent again, when nobody can tell what became of it? */
static bool repeatable(const struct head *h)
{
	return h->framing == BODY_NONE && h->method != METHOD_POST && h->method != METHOD_PATCH;
}

int proxy_serve(struct session *s, struct upstream *u)
{
	int status;

	do {
		struct link *l =
		    link_get(u, repeatable(s->head), s->server->upstream_ns, s->server->alive, &status);

		if (!l)
			return status;
		status = exchange(s, u, l);
	} while (status == STALE);
	return status;
}
