/* SPDX-License-Identifier: MIT */
/*
 * PostgreSQL from goroutines: libpq's asynchronous calls, waited for with leat_wait_fd_ctx.
 *
 *	struct pg_pool *pool = pg_pool_make("dbname=shop", 8);
 *	struct pg_conn *c = pg_pool_get(pool, ctx, &e);
 *	PGresult *r = pg_query(c, ctx, "select name from goods where id = $1", 1, &id, &e);
 *	pg_pool_put(pool, c);
 *
 * Who waits holds no thread, and stops waiting when ctx is done (a leat_ctx * or leat_scope *; NULL: no context).
 *
 * Errors: NULL or false, and in *error what failed, the caller's.  Its code is -ECANCELED or -ETIMEDOUT when ctx was done;
 * -ECONNRESET when the connection is lost; -ECONNREFUSED when there was none; -EBADMSG when the server says no, and then
 * leat_error_get(e, "sqlstate") is its five letters.  Notices are dropped.
 */
#ifndef POSTGRES_PG_H
#define POSTGRES_PG_H

#include <leat.h>

#include <libpq-fe.h>

/* --- a connection.  One goroutine at a time */

struct pg_conn;

/* Host names are looked up by a blocking call; hostaddr= and Unix sockets take none. */
struct pg_conn *pg_connect(const char *conninfo, leat_any_ctx ctx, const leat_error **error);

/* NULL is a no-op. */
void pg_close(struct pg_conn *c);

/* It can take a query: neither lost nor in the middle of a transaction.  Asks nobody. */
bool pg_is_usable(struct pg_conn *c);

/*
 * Do one statement with n parameters, as text; its result is the caller's (PQclear).
 *
 * When ctx is done the server is asked to cancel the statement, and has a second to say that it did; then the
 * connection is as good as before.  Otherwise it is lost.
 */
PGresult *pg_query(struct pg_conn *c, leat_any_ctx ctx, const char *sql, int n,
                   const char *const *values, const leat_error **error);

/* A statement that is prepared, once on each connection, by the first pg_execute there.  Must live as long as these. */
struct pg_statement {
	const char *name, *sql;
};

PGresult *pg_execute(struct pg_conn *c, leat_any_ctx ctx, const struct pg_statement *statement,
                     int n, const char *const *values, const leat_error **error);

/* --- a pool of connections.  Any goroutine */

struct pg_pool;

/* Up to n connections, each made when it is needed first.  conninfo must outlive it. */
struct pg_pool *pg_pool_make(const char *conninfo, int n);

/* Close all.  Nobody has one any more, or waits for one. */
void pg_pool_free(struct pg_pool *p);

/* The next one that is free, in the order of asking.  One that was lost meanwhile is made anew. */
struct pg_conn *pg_pool_get(struct pg_pool *p, leat_any_ctx ctx, const leat_error **error);
void pg_pool_put(struct pg_pool *p, struct pg_conn *c);

/* --- LISTEN, as a channel */

struct pg_note {
	char *payload; /* of the receiver, who frees it */
	int pid;       /* of the server's process that notified */
};

/*
 * Listen, on a connection of its own: what is notified from the return on comes over the channel, in order.  It is closed
 * when s is done or the connection is lost; chan_reason tells.  The channel is s's.
 */
recv_chan(struct pg_note) pg_listen(leat_scope *s, const char *conninfo, const char *channel,
                                    const leat_error **error);

/* --- for pg.c and listen.c alone */

/* Wait for one of events of poll(2): what there is, or a negative errno code. */
int pg_wait(struct pg_conn *c, int events, leat_any_ctx ctx);
PGconn *pg_of(struct pg_conn *c);

/* What err, a negative errno code, says; for -ECONNRESET and -ECONNREFUSED what libpq does.  c may be NULL. */
const leat_error *pg_error(struct pg_conn *c, const char *what, int err);

#endif
