/* SPDX-License-Identifier: MIT */
/* What all parts of the server know. */
#ifndef HTTPD_SERVER_H
#define HTTPD_SERVER_H

#include "log.h"
#include "message.h"
#include "reply.h"
#include "upstream.h"

struct server {
	/* As the options say. */
	int root; /* the folder whose files are served; -1: none */
	bool list, follow;
	int64_t connections, links; /* at a time; to each upstream */
	struct limits limits;
	int64_t idle_ns, head_ns, body_ns, write_ns, upstream_ns, grace_ns;

	struct upstream *upstreams;
	struct log *log;
	/* open ends with the first request to stop: nobody waits for further requests.  alive ends when patience does: so does
	   all that is under way. */
	leat_ctx *open, *alive;
	leat_semaphore places; /* of connections */
};

/* A connection, and the request that it is at. */
struct session {
	struct server *server;
	leat_conn *conn;
	struct patience patience;
	struct message *in;
	struct reply out;
	const struct head *head;
	bool unread;  /* there is, or may be, more from the client than was read */
	bool expects; /* the client waits for "100 Continue" before it sends the body */
	char peer[LEAT_ADDR_TEXT];
};

/* Answer all requests of a connection, which this frees. */
void session_serve(struct server *server, leat_conn *conn);

/* Answer one: 0 when that is done, or the status that is to be the answer. */
int files_serve(struct session *s, char *path); /* of PATH_BYTES, of which it may use the rest */
int files_status(int err);                      /* for a negative errno code */
int list_serve(struct session *s, int folder, const char *path);

#endif
