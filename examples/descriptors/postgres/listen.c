/* SPDX-License-Identifier: MIT */
/* One goroutine has a connection to itself, waits for what the server sends unasked, and passes it on. */
#include "pg.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pump {
	leat_scope *scope;
	struct pg_conn *conn;
	send_chan(struct pg_note) out;
};

/* All that has come: 0, or a negative errno code. */
static int pass_on(struct pump *a)
{
	PGnotify *n;
	int err = 0;

	while (!err && (n = PQnotifies(pg_of(a->conn))) != NULL) {
		struct pg_note note = {strdup(n->extra), n->be_pid};

		PQfreemem(n);
		err = note.payload ? chan_send_ctx(a->out, note, a->scope) : -ENOMEM;
		if (err)
			free(note.payload);
	}
	return err;
}

static void pump(struct pump *a)
{
	const leat_error *why;
	bool lost = false;
	int err;

	while (!(err = pass_on(a)) && !lost) {
		err = pg_wait(a->conn, POLLIN, a->scope);
		if (err < 0)
			break;
		lost = !PQconsumeInput(pg_of(a->conn));
	}
	why = pg_error(a->conn, "listen", err < 0 ? err : -ECONNRESET);
	chan_close_with(a->out, why);
	leat_error_free(why);
	pg_close(a->conn);
}

recv_chan(struct pg_note) pg_listen(leat_scope *s, const char *conninfo, const char *channel,
                                    const leat_error **error)
{
	struct pg_conn *c = pg_connect(conninfo, s, error);
	chan(struct pg_note) notes;
	char *name, sql[256];
	PGresult *r = NULL;

	if (!c)
		return NULL;
	name = PQescapeIdentifier(pg_of(c), channel, strlen(channel));
	if (name && snprintf(sql, sizeof sql, "listen %s", name) < (int)sizeof sql)
		r = pg_query(c, s, sql, 0, NULL, error);
	else
		*error = pg_error(NULL, "listen", -ENAMETOOLONG);
	PQfreemem(name);
	if (!r) {
		pg_close(c);
		return NULL;
	}
	PQclear(r);
	/* Unbuffered: what was not taken is still the pump's to free. */
	notes = scope_chan(s, struct pg_note, 0);
	scope_go(s, pump, s, c, chan_sender(notes));
	return chan_receiver(notes);
}
