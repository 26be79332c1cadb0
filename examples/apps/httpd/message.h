/* SPDX-License-Identifier: MIT */
/*
 * HTTP/1.1 messages as they come in over a connection: requests, and what upstreams answer.
 *
 *	struct message *m = message_new(MESSAGE_REQUEST, conn, &limits, &patience);
 *
 *	while (message_head(m) == 0) {
 *		const struct head *head = message_of(m);
 *		while ((n = message_body(m, &data)) > 0)
 *			...
 *	}
 *
 * What this promises of a head: names, values and the target are strings, the lines were those of HTTP/1.1 to the letter,
 * and how long the body is can be read in one way only.  So nobody behind this server is told another length than it read.
 *
 * One goroutine at a time.  Who waits ends with the contexts and times of its patience.
 */
#ifndef HTTPD_MESSAGE_H
#define HTTPD_MESSAGE_H

#include "field.h"

#include <leat.h>

enum message_kind {
	MESSAGE_REQUEST,
	MESSAGE_RESPONSE,
};

enum method {
	METHOD_OTHER, /* known to the parser, of no use here */
	METHOD_GET,
	METHOD_HEAD,
	METHOD_POST,
	METHOD_PUT,
	METHOD_PATCH,
	METHOD_DELETE,
	METHOD_OPTIONS,
};

enum framing {
	BODY_NONE,
	BODY_LENGTH,
	BODY_CHUNKED,
	BODY_TO_THE_END, /* of the connection: a response's */
};

struct head {
	enum method method;
	const char *method_name;
	const char *target;
	int minor; /* of the version: HTTP/1.minor */
	int status;
	const char *reason;
	const struct field *fields;
	int n;
	const char *known[FIELD_OTHER]; /* the first value of each, NULL: there is none */
	bool keep_alive;                /* the other side would go on */
	enum framing framing;
	uint64_t length; /* of a body of BODY_LENGTH */
};

struct limits {
	size_t line_bytes; /* the target of a request */
	size_t head_bytes; /* all of the head */
	int fields;
	uint64_t body_bytes;
};

/* The most that limits may allow. */
enum {
	MOST_HEAD_BYTES = 24 * 1024,
	MOST_FIELDS = 256,
};

struct patience {
	leat_ctx *idle; /* ends the wait for a head */
	leat_ctx *ctx;  /* ends the rest */
	int64_t idle_ns, head_ns,
	    body_ns; /* until a head begins, until all of it is there, between pieces of a body */
	/* What somebody may be waiting for before more comes is to be sent now: called before each wait, which does not take place
	   where it fails.  NULL: nothing. */
	int (*flush)(void *arg);
	void *arg;
};

struct message;

/* limits and patience must outlive it.  NULL: memory is out. */
struct message *message_new(enum message_kind kind, leat_conn *conn, const struct limits *limits,
                            const struct patience *patience);
void message_free(struct message *m);

/*
 * Read the next head, once the message before is read to its end.  0; -ENODATA: the connection ended before it began;
 * -EPROTO: it is none, or too large, see message_refusal; or what the connection, or the context, says.
 */
int message_head(struct message *m);
const struct head *message_of(const struct message *m);

/* SCRATCH_BYTES bytes, the caller's as long as the head is there: stacks, which idle connections keep, stay small. */
enum { SCRATCH_BYTES = 4096 };
char *message_scratch(struct message *m);

/* The response that message_head has read was to a HEAD: whatever it says, there is no body. */
void message_has_no_body(struct message *m);

/*
 * The next piece of the body: its length, *data being valid until the next call; 0 at the end of the body; -EPROTO: it is
 * none; -EFBIG: it is larger than the limit; or what the connection says, -ENODATA when it ended.
 */
ssize_t message_body(struct message *m, const char **data);

/* Is the message read to its end? */
bool message_done(const struct message *m);

/* After a failure: the status that tells the other side; 0 where nobody need be told.  Did a head begin at all? */
int message_refusal(const struct message *m, int err);
bool message_began(const struct message *m);

/* Nothing but the connection is kept until more comes: for one that may be idle for long. */
bool message_empty(const struct message *m);

#endif
