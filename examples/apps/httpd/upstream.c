/* SPDX-License-Identifier: MIT */
/*
 * Links that nobody uses lie in a stack, so that as few as do the work are in use and the others grow old.  One that has been
 * idle for longer than servers commonly wait is not used again, but closed by who comes upon it.
 */
#define _GNU_SOURCE
#include "upstream.h"

#include "target.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MOST_IDLE = 64, /* to one upstream */
};

static const int64_t idle_ns = 15 * LEAT_SECOND;

static const struct limits limits = {.line_bytes = MOST_HEAD_BYTES,
                                     .head_bytes = MOST_HEAD_BYTES,
                                     .fields = MOST_FIELDS,
                                     .body_bytes = UINT64_MAX};

/* --- the list of them */

static void free_one(struct upstream *u)
{
	free(u->prefix);
	free(u->address);
	free(u->path);
	free(u);
}

static void drop_slashes(char *path)
{
	for (size_t n = strlen(path); n && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
}

/* The parts of text; false where it has others. */
static bool split(struct upstream *u, const char *text)
{
	const char *url = strstr(text, "=http://"), *host = url ? url + strlen("=http://") : NULL;
	leat_addr address;

	if (text[0] != '/' || !url || strcspn(text, "%?#") < strlen(text))
		return false;
	u->prefix = strndup(text, (size_t)(url - text));
	u->address = strndup(host, strcspn(host, "/"));
	if (strchr(host, '/'))
		u->path = strdup(strchr(host, '/'));
	if (u->prefix)
		drop_slashes(u->prefix);
	if (u->path)
		drop_slashes(u->path);
	return u->prefix && u->address && leat_addr_parse(&address, u->address) == 0 &&
	       (!strchr(host, '/') || u->path);
}

bool upstream_add(struct upstream **all, const char *text)
{
	struct upstream *u = calloc(1, sizeof *u);

	if (!u)
		return false;
	if (!split(u, text)) {
		free_one(u);
		return false;
	}
	u->next = *all;
	*all = u;
	return true;
}

void upstreams_limit(struct upstream *all, int64_t links)
{
	for (struct upstream *u = all; u; u = u->next)
		leat_semaphore_init(&u->places, links);
}

struct upstream *upstream_find(struct upstream *all, const char *path)
{
	struct upstream *best = NULL;

	for (struct upstream *u = all; u; u = u->next)
		if (target_below(path, u->prefix) && (!best || strlen(u->prefix) > strlen(best->prefix)))
			best = u;
	return best;
}

/* --- links */

static void link_free(struct link *l)
{
	message_free(l->in);
	reply_drop(&l->out);
	leat_conn_free(l->conn);
	free(l);
}

void upstreams_free(struct upstream *all)
{
	while (all) {
		struct upstream *u = all;

		all = u->next;
		while (u->idle) {
			struct link *l = u->idle;

			u->idle = l->next;
			link_free(l);
		}
		free_one(u);
	}
}

/* One that was used before; NULL: none is fresh enough. */
static struct link *take(struct upstream *u)
{
	struct link *l, *old = NULL;

	leat_mutex_lock(&u->lock);
	l = u->idle;
	if (l && l->idle_since + idle_ns < leat_now()) { /* so are all below it */
		old = l;
		u->idle = l = NULL;
		u->idle_links = 0;
	} else if (l) {
		u->idle = l->next;
		u->idle_links--;
	}
	leat_mutex_unlock(&u->lock);
	while (old) {
		struct link *next = old->next;

		link_free(old);
		old = next;
	}
	return l;
}

/* What goes wrong with an upstream is for whoever runs this, but not a thousand times a second. */
static void complain(const leat_error *e)
{
	static leat_limiter often = LEAT_LIMITER(1, 10);

	if (leat_limiter_allow(&often))
		fprintf(stderr, "httpd: %s\n", leat_error_message(e));
}

static struct link *dial(struct upstream *u, int64_t patience_ns, leat_ctx *ctx, int *status)
{
	struct link *l = calloc(1, sizeof *l);
	const leat_error *e;

	*status = 503;
	if (!l)
		return NULL;
	l->upstream = u;
	l->conn =
	    leat_dial_with(&(leat_dial_opts){.timeout_ns = patience_ns}, "tcp", u->address, ctx, &e);
	if (!l->conn) {
		*status = leat_error_timeout(e) ? 504 : 502;
		complain(e);
		leat_error_free(e);
		free(l);
		return NULL;
	}
	l->in = message_new(MESSAGE_RESPONSE, l->conn, &limits, &l->patience);
	if (!l->in) {
		link_free(l);
		return NULL;
	}
	return l;
}

static bool acquire(struct upstream *u, int64_t patience_ns, leat_ctx *ctx)
{
	leat_ctx *patient;
	int err;

	if (leat_semaphore_tryacquire(&u->places, 1))
		return true;
	patient = leat_ctx_with_timeout(ctx, patience_ns);
	err = leat_semaphore_acquire_ctx(&u->places, 1, patient);
	leat_ctx_free(patient);
	return err == 0;
}

struct link *link_get(struct upstream *u, bool reuse, int64_t patience_ns, leat_ctx *ctx,
                      int *status)
{
	struct link *l;

	*status = 503;
	if (!acquire(u, patience_ns, ctx))
		return NULL;
	l = reuse ? take(u) : NULL;
	if (!l)
		l = dial(u, patience_ns, ctx, status);
	if (!l) {
		leat_semaphore_release(&u->places, 1);
		return NULL;
	}
	l->patience = (struct patience){.idle = ctx,
	                                .ctx = ctx,
	                                .idle_ns = patience_ns,
	                                .head_ns = patience_ns,
	                                .body_ns = patience_ns};
	if (!l->used)
		reply_init(&l->out, l->conn, ctx, patience_ns);
	return l;
}

void link_put(struct link *l, bool keep)
{
	struct upstream *u = l->upstream;

	if (keep && message_done(l->in) && message_empty(l->in) && !l->out.err) {
		reply_drop(&l->out);
		l->used = true;
		l->idle_since = leat_now();
		leat_mutex_lock(&u->lock);
		if (u->idle_links < MOST_IDLE) {
			l->next = u->idle;
			u->idle = l;
			u->idle_links++;
			l = NULL;
		}
		leat_mutex_unlock(&u->lock);
	}
	if (l)
		link_free(l);
	leat_semaphore_release(&u->places, 1);
}
