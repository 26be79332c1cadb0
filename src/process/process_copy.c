/* SPDX-License-Identifier: MIT */
/*
 * One goroutine touches a copy, from its start until it says that it is over; then who is told.  A close of the
 * connection ends it early.
 */
#include "process/process_copy.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_BYTES ((size_t)4096)
#define DROP_BYTES  512 /* on the stack */

/* Room for one byte more, and the NUL.  False: there is none, or is to be none. */
static bool make_room(struct leat__process_copy *c)
{
	size_t room = c->room * 2;
	char *to;

	if (load_relaxed(&c->failed) || load_relaxed(&c->dropped) || (c->limit && c->n >= c->limit))
		return false;
	if (c->n + 1 < c->room)
		return true;
	to = room > c->room ? realloc(c->to, room) : NULL;
	if (!to) {
		store_relaxed(&c->failed, true);
		return false;
	}
	c->to = to;
	c->room = room;
	return true;
}

static void leat__process_copy_output(struct leat__process_copy *c)
{
	char drop[DROP_BYTES];
	ssize_t n;

	do {
		bool kept = make_room(c);
		size_t space = kept ? c->room - 1 - c->n : sizeof drop;

		if (kept && c->limit && space > c->limit - c->n)
			space = c->limit - c->n;
		n = leat_conn_read(c->conn, kept ? c->to + c->n : drop, space);
		if (n > 0 && kept)
			c->n += (size_t)n;
		else if (n > 0)
			c->cut = true;
	} while (n > 0);
	c->to[c->n] = '\0';
}

static void leat__process_copy(void *arg)
{
	struct leat__process_copy *c = arg;
	const char event = 1;

	/* A process need not read all of its input. */
	if (c->from)
		leat_conn_write(c->conn, c->from, c->n, NULL);
	else
		leat__process_copy_output(c);
	leat_conn_close(c->conn);
	leat_chan_send(c->over, &event);
}

int leat__process_copy_init(struct leat__process_copy *c, const leat_stdio *io, leat_conn *conn,
                            leat_chan *over)
{
	struct leat__m *m;

	*c = (struct leat__process_copy){.conn = conn, .over = over, .limit = io->limit};
	if (io->kind == LEAT_STDIO_BYTES) {
		c->from = io->n ? io->bytes : "";
		c->n = io->n;
	} else {
		c->room = FIRST_BYTES;
		c->to = malloc(c->room);
		if (!c->to)
			return -ENOMEM;
	}
	m = leat__enter();
	c->g = leat__g_reserve(m, leat__process_copy, c, __builtin_return_address(0));
	leat__leave(m);
	return c->g ? 0 : -ENOMEM;
}

void leat__process_copy_start(struct leat__process_copy *c)
{
	struct leat__m *m = leat__enter();

	leat__hb_release(c->g);
	leat__g_enroll(m, c->g);
	leat__ready(m, c->g, false);
	leat__leave(m);
}

void leat__process_copy_done(struct leat__process_copy *c, bool started)
{
	struct leat__m *m;

	if (c->g && !started) {
		m = leat__enter();
		leat__g_unreserve(m, c->g);
		leat__leave(m);
	}
	free(c->to);
}
