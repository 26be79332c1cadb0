/* SPDX-License-Identifier: MIT */
/*
 * The pool is a buffered channel of its places: it counts those that are free, has them, and is the queue of who waits, first
 * come, first served.  A place without a connection (NULL) gets one when it is taken.
 */
#include "pg.h"

#include <errno.h>
#include <stdlib.h>

struct pg_pool {
	const char *conninfo;
	chan(struct pg_conn *) places;
};

struct pg_pool *pg_pool_make(const char *conninfo, int n)
{
	struct pg_pool *p = malloc(sizeof *p);

	if (!p)
		leat_panic_error(&leat_out_of_memory);
	*p = (struct pg_pool){conninfo, chan_make(struct pg_conn *, n)};
	for (int i = 0; i < n; i++)
		chan_send(p->places, NULL);
	return p;
}

void pg_pool_free(struct pg_pool *p)
{
	for (ptrdiff_t n = chan_cap(p->places); n > 0; n--)
		pg_close(chan_recv(p->places));
	chan_free(p->places);
	free(p);
}

struct pg_conn *pg_pool_get(struct pg_pool *p, leat_any_ctx ctx, const leat_error **error)
{
	struct pg_conn *c;
	int err = chan_recv_ctx(p->places, &c, ctx);

	if (err) {
		*error = pg_error(NULL, "wait for a connection", err);
		return NULL;
	}
	if (c && !pg_is_usable(c)) {
		pg_close(c);
		c = NULL;
	}
	if (!c)
		c = pg_connect(p->conninfo, ctx, error);
	if (!c)
		chan_send(p->places, NULL);
	return c;
}

void pg_pool_put(struct pg_pool *p, struct pg_conn *c)
{
	if (!pg_is_usable(c)) {
		pg_close(c);
		c = NULL;
	}
	chan_send(p->places, c);
}
