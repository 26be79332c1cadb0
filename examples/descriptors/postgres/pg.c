/* SPDX-License-Identifier: MIT */
/*
 * A connection is one goroutine's at a time, so its descriptor is waited for by one: nobody else need be told when libpq
 * closes it.  While it connects, libpq may go on to the next address with another descriptor, under the same number
 * even, between two calls of PQconnectPoll; so PQsocket is asked anew each time, and leat_wait_fd asks the kernel anew.
 *
 * PQcancel opens a connection of its own and blocks until the server has closed it.  That is done in a goroutine of its
 * own, which blocks a thread, and is waited for a second: a server that does not answer even this keeps that thread,
 * and nobody else.  (libpq 17 has PQcancelStart and PQcancelPoll, to be driven as PQconnectStart and PQconnectPoll.)
 */
#define _GNU_SOURCE
#include "pg.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#define CANCEL_NS LEAT_SECOND

struct pg_conn {
	PGconn *pg;
	bool lost;
	const struct pg_statement **prepared;
	size_t n_prepared;
};

PGconn *pg_of(struct pg_conn *c)
{
	return c->pg;
}

int pg_wait(struct pg_conn *c, int events, leat_any_ctx ctx)
{
	int fd = PQsocket(c->pg);

	return fd < 0 ? -ECONNRESET : leat_wait_fd_ctx(fd, events, LEAT_FOREVER, ctx);
}

/* --- errors */

/* The first line. */
static int first_line(const char *text)
{
	return (int)strcspn(text, "\n");
}

const leat_error *pg_error(struct pg_conn *c, const char *what, int err)
{
	const char *why = c ? PQerrorMessage(c->pg) : "";
	leat_error *e;

	if (err == -ECANCELED || err == -ETIMEDOUT)
		return leat_errorf(err == -ECANCELED ? &leat_canceled : &leat_deadline_exceeded, "%s",
		                   what);
	if (err != -ECONNRESET && err != -ECONNREFUSED)
		return leat_errorf(leat_error_errno(err), "%s", what);
	if (!*why)
		why = "the connection is lost";
	e = leat_errorf(NULL, "%s: %.*s", what, first_line(why), why);
	leat_error_set_code(e, err);
	return e;
}

/* What the server says of a statement. */
static const leat_error *refusal(const PGresult *r, bool lost)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *why = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	leat_error *e;

	if (!why)
		why = PQresultErrorMessage(r);
	e = leat_errorf(NULL, "query: %.*s", first_line(why), why);
	leat_error_set_code(e, lost ? -ECONNRESET : -EBADMSG);
	if (state)
		leat_error_put(e, "sqlstate", "%s", state);
	return e;
}

/* --- connecting */

/* Where a program has a log it writes them there; libpq's own way is to print them. */
static void drop_notice(void *arg, const PGresult *notice)
{
	(void)arg;
	(void)notice;
}

struct pg_conn *pg_connect(const char *conninfo, leat_any_ctx ctx, const leat_error **error)
{
	PostgresPollingStatusType state = PGRES_POLLING_WRITING; /* as PQconnectPoll's manual has it */
	struct pg_conn *c = calloc(1, sizeof *c);
	int err = 0;

	if (c)
		c->pg = PQconnectStart(conninfo);
	if (!c || !c->pg) {
		free(c);
		*error = &leat_out_of_memory;
		return NULL;
	}
	PQsetNoticeReceiver(c->pg, drop_notice, NULL);
	if (PQstatus(c->pg) == CONNECTION_BAD)
		state = PGRES_POLLING_FAILED;
	while (!err && state != PGRES_POLLING_OK && state != PGRES_POLLING_FAILED) {
		err = pg_wait(c, state == PGRES_POLLING_READING ? POLLIN : POLLOUT, ctx);
		if (err > 0) {
			err = 0;
			state = PQconnectPoll(c->pg);
		}
	}
	if (!err && state == PGRES_POLLING_OK && PQsetnonblocking(c->pg, 1) == 0)
		return c;
	*error = pg_error(c, "connect", err ? err : -ECONNREFUSED);
	pg_close(c);
	return NULL;
}

void pg_close(struct pg_conn *c)
{
	if (!c)
		return;
	PQfinish(c->pg); /* says good-bye as far as that goes at once */
	free(c->prepared);
	free(c);
}

bool pg_is_usable(struct pg_conn *c)
{
	return !c->lost && PQstatus(c->pg) == CONNECTION_OK &&
	       PQtransactionStatus(c->pg) == PQTRANS_IDLE &&
	       leat_wait_fd(PQsocket(c->pg), POLLRDHUP, 0) == -ETIMEDOUT; /* nor has the server gone */
}

/* --- a statement under way */

/* Send what libpq has buffered.  The server may have to be read from before it reads on. */
static int flush(struct pg_conn *c, leat_any_ctx ctx)
{
	int left;

	while ((left = PQflush(c->pg)) > 0) {
		int ready = pg_wait(c, POLLIN | POLLOUT, ctx);

		if (ready < 0)
			return ready;
		if (ready & POLLIN && !PQconsumeInput(c->pg))
			return -ECONNRESET;
	}
	return left < 0 ? -ECONNRESET : 0;
}

/* The next result, NULL where there is none left.  0, or a negative errno code. */
static int next_result(struct pg_conn *c, leat_any_ctx ctx, PGresult **r)
{
	while (PQisBusy(c->pg)) {
		int ready = pg_wait(c, POLLIN, ctx);

		if (ready < 0)
			return ready;
		if (!PQconsumeInput(c->pg))
			return -ECONNRESET;
	}
	*r = PQgetResult(c->pg);
	return 0;
}

static bool is_error(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);

	return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY;
}

/* It would want data, or send some, by other calls: there are none here. */
static bool is_copy(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/* All that comes of a statement: its first error, else its last result, in *kept. */
static int read_results(struct pg_conn *c, leat_any_ctx ctx, PGresult **kept)
{
	PGresult *r;
	int err;

	while (!(err = next_result(c, ctx, &r)) && r) {
		if (is_copy(r)) {
			PQclear(r);
			return -ENOTSUP;
		}
		if (*kept && is_error(*kept)) {
			PQclear(r);
		} else {
			PQclear(*kept);
			*kept = r;
		}
	}
	return err;
}

/* --- cancelling */

/* Of who asked and of who does it; the last frees it. */
struct request {
	PGcancel *cancel;
	chan(leat_empty) done;
	_Atomic int holders;
};

static void let_go(struct request *r)
{
	if (--r->holders > 0)
		return;
	PQfreeCancel(r->cancel);
	chan_free(r->done);
	free(r);
}

struct ask {
	struct request *request;
};

static void ask(struct ask *a)
{
	char why[256];

	{
		leat_blocking();
		PQcancel(a->request->cancel, why, sizeof why);
	}
	chan_close(a->request->done);
	let_go(a->request);
}

/* Have the statement under way cancelled; true when the connection is idle again. */
static bool give_up(struct pg_conn *c, PGresult **result)
{
	leat_ctx *patience = leat_ctx_with_timeout(leat_ctx_background(), CANCEL_NS);
	struct request *r = malloc(sizeof *r);
	bool idle = false;

	if (r) {
		*r = (struct request){PQgetCancel(c->pg), chan_make(leat_empty, 0), 2};
		go(ask, r);
		/* Not before it is done: it might hit the next statement. */
		idle = flush(c, patience) == 0 && read_results(c, patience, result) == 0 &&
		       chan_recv_ctx(r->done, NULL, patience) == -EPIPE;
		let_go(r);
	}
	leat_ctx_free(patience);
	return idle;
}

/* --- statements */

/* A statement was sent, if sent: its result, or NULL with *error. */
static PGresult *await(struct pg_conn *c, bool sent, leat_any_ctx ctx, const leat_error **error)
{
	PGresult *result = NULL;
	int err = sent ? flush(c, ctx) : -ECONNRESET;

	if (!err)
		err = read_results(c, ctx, &result);
	if (!err && result && !is_error(result))
		return result;
	if (err && err == leat_ctx_err(ctx)) {
		*error = pg_error(c, "query", err);
		c->lost = !give_up(c, &result);
	} else {
		c->lost = err || !result || PQstatus(c->pg) != CONNECTION_OK;
		if (result && is_error(result) && *PQresultErrorMessage(result))
			*error = refusal(result, c->lost);
		else
			*error = pg_error(c, "query", err ? err : -ECONNRESET);
	}
	PQclear(result);
	return NULL;
}

/* False: with *error why there can be no statement. */
static bool may_begin(struct pg_conn *c, leat_any_ctx ctx, const leat_error **error)
{
	int err = c->lost ? -ECONNRESET : leat_ctx_err(ctx);

	if (err)
		*error = pg_error(NULL, "query", err);
	return !err;
}

PGresult *pg_query(struct pg_conn *c, leat_any_ctx ctx, const char *sql, int n,
                   const char *const *values, const leat_error **error)
{
	if (!may_begin(c, ctx, error))
		return NULL;
	return await(c, PQsendQueryParams(c->pg, sql, n, NULL, values, NULL, NULL, 0), ctx, error);
}

static bool is_prepared(const struct pg_conn *c, const struct pg_statement *s)
{
	for (size_t i = 0; i < c->n_prepared; i++)
		if (c->prepared[i] == s)
			return true;
	return false;
}

static bool prepare(struct pg_conn *c, leat_any_ctx ctx, const struct pg_statement *s,
                    const leat_error **error)
{
	const struct pg_statement **more =
	    realloc(c->prepared, (c->n_prepared + 1) * sizeof *c->prepared);
	PGresult *r;

	if (!more) {
		*error = &leat_out_of_memory;
		return false;
	}
	c->prepared = more;
	r = await(c, PQsendPrepare(c->pg, s->name, s->sql, 0, NULL), ctx, error);
	if (r)
		c->prepared[c->n_prepared++] = s;
	PQclear(r);
	return r;
}

PGresult *pg_execute(struct pg_conn *c, leat_any_ctx ctx, const struct pg_statement *statement,
                     int n, const char *const *values, const leat_error **error)
{
	if (!may_begin(c, ctx, error))
		return NULL;
	if (!is_prepared(c, statement) && !prepare(c, ctx, statement, error))
		return NULL;
	return await(c, PQsendQueryPrepared(c->pg, statement->name, n, values, NULL, NULL, 0), ctx,
	             error);
}
