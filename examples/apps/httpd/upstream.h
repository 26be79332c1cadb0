/* SPDX-License-Identifier: MIT */
/*
 * Servers that requests are passed on to, and the connections to them, which are kept for further requests.
 *
 * Any goroutine, all of it; a link is one's own between get and put.
 */
#ifndef HTTPD_UPSTREAM_H
#define HTTPD_UPSTREAM_H

#include "message.h"
#include "reply.h"

struct link;

struct upstream {
	struct upstream *next;
	char *prefix, *address,
	    *path;         /* path replaces the prefix; NULL: nothing does.  None ends in a slash */
	leat_mutex lock;   /* of what follows */
	struct link *idle; /* the most recently used first */
	int idle_links;
	leat_semaphore places; /* of links */
};

/* A connection. */
struct link {
	struct link *next;
	struct upstream *upstream;
	leat_conn *conn;
	struct patience patience;
	struct message *in;
	struct reply out;
	bool used; /* for requests before: the other side may have closed it meanwhile */
	int64_t idle_since;
};

/* From "/prefix=http://host:port/path" at the head of *all; false where text is no such thing, or memory is out. */
bool upstream_add(struct upstream **all, const char *text);

/* How many connections there may be to each; before the first link_get. */
void upstreams_limit(struct upstream *all, int64_t links);
void upstreams_free(struct upstream *all);

/* The one with the longest prefix that path has; NULL: none has any of it. */
struct upstream *upstream_find(struct upstream *all, const char *path);

/*
 * A connection that waits for nobody longer than patience_ns, nor when ctx is done: with reuse one that was used
 * before, if there is one.  NULL, and in *status what to answer: 502, 503 when too many are under way, 504.
 */
struct link *link_get(struct upstream *u, bool reuse, int64_t patience_ns, leat_ctx *ctx,
                      int *status);

/* Done with it: it is kept for others, or closed. */
void link_put(struct link *l, bool keep);

#endif
