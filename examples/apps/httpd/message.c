/* SPDX-License-Identifier: MIT */
/*
 * The only file that knows the parser, llhttp.
 *
 * Why llhttp, and what was not taken, is in docs/design/httpd.md.  It takes what it gets in pieces of any size, and is stopped
 * after each head, before the trailer of chunks, and after each message.  What it leaves to its users is refused here: lines
 * that end in LF alone and folded ones, in heads and trailers; fields without a name, several Content-Length or Host, a
 * Transfer-Encoding beside a Content-Length or in HTTP/1.0, or another than chunked.
 *
 * Memory: a room of 32 KiB, from a pool, holds the head, from its beginning, and behind it what came after it; pieces of a body
 * replace one another there.  Between messages, when nothing has come yet, there is no room: the first bytes of a head
 * are read to the stack.
 */
#define _GNU_SOURCE
#include "message.h"

#include <errno.h>
#include <llhttp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	ROOM_BYTES = 32 * 1024,
	FIRST_BYTES = 1024,         /* read to the stack */
	OVERHEAD_BYTES = 64 * 1024, /* of chunks and trailers, */
	OVERHEAD_EACH = 16,         /* and this for each byte of data */
};

/* Positions in the room. */
struct span {
	const char *at;
	size_t n;
};

struct room {
	char bytes[ROOM_BYTES];
	char scratch[SCRATCH_BYTES];
	struct field fields[MOST_FIELDS];
	struct span values[MOST_FIELDS], names[MOST_FIELDS];
};

enum state {
	IN_HEAD,
	IN_BODY,
	DONE,
};

struct message {
	llhttp_t parser;
	enum message_kind kind;
	enum state state;
	leat_conn *conn;
	const struct limits *limits;
	const struct patience *patience;
	int64_t deadline;  /* as the connection knows it */
	struct room *room; /* NULL: nothing has come */
	size_t at, end;    /* what has come and is not parsed */
	size_t head_end;
	struct head head;
	struct span target, reason;
	int values, refusal;
	char *piece; /* where the data of a body goes */
	size_t piece_bytes;
	uint64_t body_bytes, raw_bytes; /* of this body; with what is around it */
	char last;                      /* byte of a trailer so far; '\0': it has not begun */
};

static void *room_make(void *arg)
{
	(void)arg;
	return malloc(sizeof(struct room));
}

static leat_pool rooms = {.make = room_make};

/* --- what llhttp calls */

static int refuse(struct message *m, int status)
{
	m->refusal = status;
	return HPE_USER;
}

/* The pieces of a span follow one another, or it is a folded line. */
static bool extend(struct span *s, const char *at, size_t n)
{
	if (!s->at)
		s->at = at;
	else if (s->at + s->n != at)
		return false;
	s->n += n;
	return true;
}

static int on_target(llhttp_t *parser, const char *at, size_t n)
{
	struct message *m = parser->data;

	if (!extend(&m->target, at, n))
		return refuse(m, 400);
	return m->target.n > m->limits->line_bytes ? refuse(m, 414) : 0;
}

static int on_reason(llhttp_t *parser, const char *at, size_t n)
{
	struct message *m = parser->data;

	return extend(&m->reason, at, n) ? 0 : refuse(m, 400);
}

static int on_name(llhttp_t *parser, const char *at, size_t n)
{
	struct message *m = parser->data;

	if (m->state != IN_HEAD) /* a trailer: of no use, and bounded with the body */
		return 0;
	if (m->head.n == m->values) { /* a new one */
		if (m->head.n == m->limits->fields)
			return refuse(m, 431);
		m->room->names[m->head.n] = (struct span){NULL, 0};
		m->room->values[m->head.n++] = (struct span){NULL, 0};
	}
	return extend(&m->room->names[m->head.n - 1], at, n) ? 0 : refuse(m, 400);
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
	struct message *m = parser->data;

	if (m->state != IN_HEAD)
		return 0;
	return extend(&m->room->values[m->head.n - 1], at, n) ? 0 : refuse(m, 400);
}

static int on_value_end(llhttp_t *parser)
{
	struct message *m = parser->data;

	if (m->state == IN_HEAD)
		m->values++;
	return 0;
}

static int on_head_end(llhttp_t *parser)
{
	/* Other protocols are not offered: an Upgrade is a field like others. */
	parser->upgrade = 0;
	return HPE_PAUSED;
}

/* Data of chunks moves together. */
static int on_body(llhttp_t *parser, const char *at, size_t n)
{
	struct message *m = parser->data;

	memmove(m->piece + m->piece_bytes, at, n);
	m->piece_bytes += n;
	return 0;
}

/* The last one has no data, and the trailer behind it. */
static int on_chunk(llhttp_t *parser)
{
	struct message *m = parser->data;

	if (parser->content_length)
		return 0;
	m->last = '\n';
	return HPE_PAUSED;
}

static int on_end(llhttp_t *parser)
{
	(void)parser;
	return HPE_PAUSED;
}

static const llhttp_settings_t settings = {
    .on_url = on_target,
    .on_status = on_reason,
    .on_header_field = on_name,
    .on_header_value = on_value,
    .on_header_value_complete = on_value_end,
    .on_headers_complete = on_head_end,
    .on_chunk_header = on_chunk,
    .on_body = on_body,
    .on_message_complete = on_end,
};

/* --- making */

struct message *message_new(enum message_kind kind, leat_conn *conn, const struct limits *limits,
                            const struct patience *patience)
{
	struct message *m = calloc(1, sizeof *m);

	if (m) {
		m->kind = kind;
		m->conn = conn;
		m->limits = limits;
		m->patience = patience;
		m->state = DONE;
		m->deadline = LEAT_FOREVER;
	}
	return m;
}

void message_free(struct message *m)
{
	if (m)
		leat_pool_put(&rooms, m->room);
	free(m);
}

const struct head *message_of(const struct message *m)
{
	return &m->head;
}

char *message_scratch(struct message *m)
{
	return m->room->scratch;
}

bool message_done(const struct message *m)
{
	return m->state == DONE;
}

bool message_empty(const struct message *m)
{
	return m->at == m->end;
}

bool message_began(const struct message *m)
{
	return m->state == IN_HEAD && m->end > 0;
}

int message_refusal(const struct message *m, int err)
{
	switch (err) {
	case -EPROTO:
		return m->refusal;
	case -EFBIG:
		return 413;
	case -ETIMEDOUT:
		return message_began(m) || m->state == IN_BODY ? 408 : 0;
	case -ENODATA:
	case -ECONNRESET:
		return m->state == IN_BODY ? 400 : 0; /* a body that is not whole */
	case -ENOMEM:
		return 503;
	default:
		return 0;
	}
}

/* --- reading */

/* What is read from now on must come within ns.  To move the deadline costs more than a request does otherwise, so it stays
   when it is right to a sixteenth. */
static void within(struct message *m, int64_t ns)
{
	int64_t at = leat_now() + ns;

	if (m->deadline <= at && m->deadline >= at - ns / 16)
		return;
	if (leat_conn_set_read_deadline(m->conn, at) == 0)
		m->deadline = at;
}

static int flush(struct message *m)
{
	return m->patience->flush ? m->patience->flush(m->patience->arg) : 0;
}

static ssize_t receive(struct message *m, void *to, size_t bytes, int64_t ns, leat_ctx *ctx)
{
	int err = flush(m);

	if (err)
		return err;
	within(m, ns);
	return leat_conn_read_ctx(m->conn, to, bytes, ctx);
}

/* The first bytes of a head, for which there is a room from then on. */
static ssize_t receive_first(struct message *m)
{
	char first[FIRST_BYTES];
	ssize_t n = receive(m, first, sizeof first, m->patience->idle_ns, m->patience->idle);

	if (n <= 0)
		return n;
	m->room = leat_pool_get(&rooms);
	if (!m->room)
		return -ENOMEM;
	memcpy(m->room->bytes, first, (size_t)n);
	return n;
}

/* More of a head: 0, or why there is none. */
static int receive_head(struct message *m)
{
	ssize_t n;

	if (!m->room)
		n = receive_first(m);
	else if (m->end == 0)
		n = receive(m, m->room->bytes, ROOM_BYTES, m->patience->idle_ns, m->patience->idle);
	else
		n = leat_conn_read_ctx(m->conn, m->room->bytes + m->end, ROOM_BYTES - m->end,
		                       m->patience->ctx);
	if (n <= 0)
		return n < 0 ? (int)n : -ENODATA;
	m->end += (size_t)n;
	return 0;
}

/* --- heads */

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* What llhttp would not take: a method or a version that it does not know, or nothing of HTTP. */
static int status_of(const struct message *m, llhttp_errno_t error)
{
	const char *at = m->room->bytes, *end = at + m->end;

	if (error == HPE_USER)
		return m->refusal;
	if (error == HPE_INVALID_VERSION || error == HPE_PAUSED_H2_UPGRADE)
		return m->parser.http_major == 1 ? 400 : 505;
	if (error != HPE_INVALID_METHOD)
		return 400;
	while (at < end && (*at == '\r' || *at == '\n'))
		at++;
	for (const char *p = at; p < end && p - at <= 32; p++) {
		if (*p == ' ')
			return p > at ? 501 : 400;
		if (!is_token(*p))
			break;
	}
	return 400;
}

/* In CRLF, and none goes on in the next; last came before.  Of a CR without its LF llhttp takes care. */
static bool lines_are_right(const char *from, const char *end, char last)
{
	if (last == '\n' && from < end && (*from == ' ' || *from == '\t'))
		return false;
	for (const char *at = from; (at = memchr(at, '\n', (size_t)(end - at))); at++)
		if ((at == from ? last : at[-1]) != '\r' ||
		    (at + 1 < end && (at[1] == ' ' || at[1] == '\t')))
			return false;
	return true;
}

/* The fields become strings where they lie: behind a name stands a colon, behind a value its line's end. */
static int take_fields(struct message *m, int *seen)
{
	struct room *room = m->room;

	for (int i = 0; i < m->head.n; i++) {
		struct span name = room->names[i], value = room->values[i];
		struct field *f = &room->fields[i];

		if (!name.n)
			return 400;
		while (value.n && (value.at[value.n - 1] == ' ' || value.at[value.n - 1] == '\t'))
			value.n--;
		room->bytes[name.at + name.n - room->bytes] = '\0';
		if (value.n) /* an empty one may be said to be on the next line, where the next name is */
			room->bytes[value.at + value.n - room->bytes] = '\0';
		*f = (struct field){name.at, value.n ? value.at : "", field_known(name.at)};
		if (f->known != FIELD_OTHER && seen[f->known]++ == 0)
			m->head.known[f->known] = f->value;
	}
	m->head.fields = room->fields;
	return 0;
}

/* How the body ends; 0, or the status for one of which that is in doubt. */
static int take_framing(struct message *m, const int *seen)
{
	struct head *h = &m->head;
	const char *coding = h->known[FIELD_TRANSFER_ENCODING];

	h->length = 0;
	h->framing = BODY_NONE;
	if (m->kind == MESSAGE_RESPONSE && (h->status < 200 || h->status == 204 || h->status == 304))
		return 0;
	if (seen[FIELD_CONTENT_LENGTH] + seen[FIELD_TRANSFER_ENCODING] > 1)
		return 400;
	if (coding) {
		if (h->minor == 0)
			return 400;
		if (strcasecmp(coding, "chunked") != 0)
			return 501;
		h->framing = BODY_CHUNKED;
	} else if (seen[FIELD_CONTENT_LENGTH]) {
		h->length = m->parser.content_length;
		h->framing = h->length ? BODY_LENGTH : BODY_NONE;
	} else {
		h->framing = llhttp_message_needs_eof(&m->parser) ? BODY_TO_THE_END : BODY_NONE;
	}
	return 0;
}

static enum method method_of(uint8_t method)
{
	static const enum method methods[] = {
	    [HTTP_GET] = METHOD_GET,        [HTTP_HEAD] = METHOD_HEAD,   [HTTP_POST] = METHOD_POST,
	    [HTTP_PUT] = METHOD_PUT,        [HTTP_PATCH] = METHOD_PATCH, [HTTP_DELETE] = METHOD_DELETE,
	    [HTTP_OPTIONS] = METHOD_OPTIONS};

	return method < sizeof methods / sizeof *methods ? methods[method] : METHOD_OTHER;
}

/* Make of the spans what message_of shows; 0, or the status to refuse it with. */
static int take_head(struct message *m)
{
	struct head *h = &m->head;
	struct room *room = m->room;
	int seen[FIELD_OTHER] = {0}, status;

	if (!lines_are_right(room->bytes, room->bytes + m->head_end, '\0'))
		return 400;
	if (m->parser.http_major != 1)
		return m->parser.http_major == 0 ? 400 : 505;
	memset(h->known, 0, sizeof h->known);
	h->minor = m->parser.http_minor;
	status = take_fields(m, seen);
	if (status)
		return status;
	h->keep_alive = llhttp_should_keep_alive(&m->parser);
	if (m->kind == MESSAGE_REQUEST) {
		if (!m->target.n)
			return 400;
		h->method = method_of(m->parser.method);
		h->method_name = llhttp_method_name(m->parser.method);
		room->bytes[m->target.at + m->target.n - room->bytes] = '\0';
		h->target = m->target.at;
		if (seen[FIELD_HOST] > 1 || (seen[FIELD_HOST] == 0 && h->minor > 0))
			return 400;
	} else {
		h->status = m->parser.status_code;
		if (m->reason.n)
			room->bytes[m->reason.at + m->reason.n - room->bytes] = '\0';
		h->reason = m->reason.n ? m->reason.at : "";
	}
	return take_framing(m, seen);
}

/* What came behind the message before moves to the beginning. */
static void begin(struct message *m)
{
	if (m->room && m->at == m->end) {
		leat_pool_put(&rooms, m->room);
		m->room = NULL;
	} else if (m->room) {
		memmove(m->room->bytes, m->room->bytes + m->at, m->end - m->at);
	}
	m->end -= m->at;
	m->at = 0;
	m->state = IN_HEAD;
	m->head.n = m->values = m->refusal = 0;
	m->target = m->reason = (struct span){NULL, 0};
	m->body_bytes = m->raw_bytes = 0;
	m->last = '\0';
	llhttp_init(&m->parser, m->kind == MESSAGE_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
	m->parser.data = m;
}

/* Give llhttp what has come: 1 when the head is complete, 0 when it wants more, or -EPROTO. */
static int parse_head(struct message *m)
{
	char *bytes = m->room->bytes;
	llhttp_errno_t error = llhttp_execute(&m->parser, bytes + m->at, m->end - m->at);

	if (error == HPE_PAUSED) {
		m->at = (size_t)(llhttp_get_error_pos(&m->parser) - bytes);
		m->head_end = m->at;
		m->refusal = m->at > m->limits->head_bytes ? 431 : take_head(m);
		return m->refusal ? -EPROTO : 1;
	}
	m->at = m->end;
	if (error == HPE_OK && m->end <= m->limits->head_bytes)
		return 0;
	m->refusal = error == HPE_OK ? 431 : status_of(m, error);
	return -EPROTO;
}

int message_head(struct message *m)
{
	bool waited = false;
	int r;

	begin(m);
	for (;;) {
		r = m->at < m->end ? parse_head(m) : 0;
		if (r)
			break;
		if (m->end && !waited) { /* from here on the head is late */
			r = flush(m);
			if (r)
				break;
			within(m, m->patience->head_ns);
			waited = true;
		}
		r = receive_head(m);
		if (r)
			return r == -ENODATA && m->end ? -ECONNRESET : r;
	}
	if (r < 0)
		return r;
	m->state = m->head.framing == BODY_NONE ? DONE : IN_BODY;
	return 0;
}

/* --- bodies */

void message_has_no_body(struct message *m)
{
	m->head.framing = BODY_NONE;
	m->state = DONE;
}

/* Give llhttp what has come of the body: 0, or -EPROTO. */
static int parse_body(struct message *m)
{
	char *bytes = m->room->bytes;
	size_t before = m->at;
	char last = m->last;
	llhttp_errno_t error;

	m->piece = bytes + m->at;
	m->piece_bytes = 0;
	llhttp_resume(&m->parser);
	error = llhttp_execute(&m->parser, bytes + m->at, m->end - m->at);
	if (error == HPE_PAUSED) {
		m->at = (size_t)(llhttp_get_error_pos(&m->parser) - bytes);
		if (last == m->last)
			m->state = DONE;
	} else {
		m->at = m->end;
	}
	m->raw_bytes += m->at - before;
	m->body_bytes += m->piece_bytes;
	m->refusal = 400;
	if (last && !lines_are_right(bytes + before, bytes + m->at, last))
		return -EPROTO;
	if (last)
		m->last = bytes[m->at - 1];
	return error == HPE_OK || error == HPE_PAUSED ? 0 : -EPROTO;
}

ssize_t message_body(struct message *m, const char **data)
{
	while (m->state == IN_BODY) {
		ssize_t n;

		if (m->at < m->end) {
			if (parse_body(m))
				return -EPROTO;
			if (m->body_bytes > m->limits->body_bytes ||
			    m->raw_bytes > m->body_bytes * OVERHEAD_EACH + OVERHEAD_BYTES)
				return -EFBIG;
			if (m->piece_bytes) {
				*data = m->piece;
				return (ssize_t)m->piece_bytes;
			}
			continue;
		}
		m->at = m->end = m->head_end;
		n = receive(m, m->room->bytes + m->end, ROOM_BYTES - m->end, m->patience->body_ns,
		            m->patience->ctx);
		if (n < 0)
			return n;
		if (n == 0 && m->head.framing != BODY_TO_THE_END)
			return -ENODATA;
		if (n == 0)
			m->state = DONE;
		m->end += (size_t)n;
	}
	return 0;
}
