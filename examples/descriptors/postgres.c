/* SPDX-License-Identifier: MIT */
/*
 * postgres: do SQL statements at once, over some connections to PostgreSQL, and listen.
 *
 *	postgres [-c CONNINFO] [-p CONNECTIONS] [-r TIMES] [-t SECONDS] [-l CHANNEL [-n NOTES]] [SQL]...
 *
 * Each execution has a goroutine, in straight-line code: take a connection from the pool, execute, give it back.  With -t
 * its context ends it after so many seconds, and the server is told to stop.  A $1 in a statement is the number
 * of the execution, from 1 to TIMES.  With -l what is notified on CHANNEL is printed, until there were NOTES.
 *
 * This file is how it is used; postgres/ is for whoever wants to take it along.
 */
#include "postgres/pg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct options {
	const char *conninfo, *channel;
	int connections, times, notes;
	double seconds; /* for each execution; 0: for ever */
};

struct outcome {
	PGresult *result; /* NULL: an error */
	const leat_error *error;
};

/* --- statements */

struct execution {
	struct pg_pool *pool;
	const struct pg_statement *statement;
	int number;
	double seconds;
	send_chan(struct outcome) out;
};

static PGresult *execute(const struct execution *a, leat_ctx *ctx, const leat_error **error)
{
	struct pg_conn *c = pg_pool_get(a->pool, ctx, error);
	char number[16];
	const char *values[] = {number};
	PGresult *r;

	if (!c)
		return NULL;
	snprintf(number, sizeof number, "%d", a->number);
	r = pg_execute(c, ctx, a->statement, strstr(a->statement->sql, "$1") != NULL, values, error);
	pg_pool_put(a->pool, c);
	return r;
}

static void execution(struct execution *a)
{
	struct outcome o = {0};
	leat_ctx *ctx = NULL;

	if (a->seconds > 0)
		ctx = leat_ctx_with_timeout(leat_ctx_background(), (int64_t)(a->seconds * 1e9));
	o.result = execute(a, ctx, &o.error);
	leat_ctx_free(ctx);
	chan_send(a->out, o);
}

/* Rows, tab-separated, or the error; true when there was none. */
static bool report(const struct outcome *o)
{
	const char *state = leat_error_get(o->error, "sqlstate");

	if (!o->result) {
		fprintf(stderr, "postgres: %s%s%s\n", leat_error_message(o->error), state ? " " : "",
		        state ? state : "");
		leat_error_free(o->error);
		return false;
	}
	for (int row = 0; row < PQntuples(o->result); row++)
		for (int i = 0, n = PQnfields(o->result); i < n; i++)
			printf("%s%c", PQgetvalue(o->result, row, i), i < n - 1 ? '\t' : '\n');
	PQclear(o->result);
	return true;
}

/* How many failed. */
static int execute_all(const struct options *o, const struct pg_statement *statements, int n)
{
	struct pg_pool *pool = pg_pool_make(o->conninfo, o->connections);
	int failed = 0;

	defer(pg_pool_free, pool); /* after the scope has joined */
	scope(s, NULL);
	chan(struct outcome) out = scope_chan(s, struct outcome, 0);

	for (int i = 0; i < o->times; i++)
		for (int k = 0; k < n; k++)
			scope_go(s, execution, pool, &statements[k], i + 1, o->seconds, chan_sender(out));
	for (int left = o->times * n; left > 0; left--) {
		struct outcome outcome = chan_recv(out);

		failed += !report(&outcome);
		fflush(stdout);
	}
	scope_wait(s);
	return failed;
}

/* --- notifications */

static bool hear(const struct options *o, recv_chan(struct pg_note) notes)
{
	int heard = 0;

	chan_range(note, notes) {
		printf("%s: %s\n", o->channel, note.payload);
		fflush(stdout);
		free(note.payload);
		if (++heard == o->notes)
			return true;
	}
	fprintf(stderr, "postgres: %s\n", leat_error_message(chan_reason(notes)));
	return false;
}

static int run(const struct options *o, const struct pg_statement *statements, int n)
{
	const leat_error *e = NULL;
	int failed = 0;

	scope(s, NULL);
	recv_chan(struct pg_note) notes = NULL;

	if (o->channel) {
		notes = pg_listen(s, o->conninfo, o->channel, &e);
		if (!notes) {
			report(&(struct outcome){.error = e});
			return 1;
		}
		fprintf(stderr, "postgres: listening\n");
	}
	failed = execute_all(o, statements, n);
	if (notes && !hear(o, notes))
		failed++;
	return failed || ferror(stdout) ? 1 : 0;
}

/* --- options */

static double number(const char *text, char option, double least, double most)
{
	char *end;
	double x = strtod(text, &end);

	if (!*text || *end || !(x >= least && x <= most)) {
		fprintf(stderr, "postgres: -%c takes a number from %g to %g\n", option, least, most);
		exit(2);
	}
	return x;
}

static int usage(void)
{
	fprintf(stderr, "Usage: postgres [-c CONNINFO] [-p CONNECTIONS] [-r TIMES] [-t SECONDS]\n"
	                "                [-l CHANNEL [-n NOTES]] [SQL]...\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct options o = {.conninfo = "", .connections = 4, .times = 1, .notes = 1};
	struct pg_statement *statements;
	int n, status;

	for (int option; (option = getopt(argc, argv, "c:l:n:p:r:t:")) >= 0;) {
		switch (option) {
		case 'c':
			o.conninfo = optarg;
			break;
		case 'l':
			o.channel = optarg;
			break;
		case 'n':
			o.notes = (int)number(optarg, 'n', 1, 1e9);
			break;
		case 'p':
			o.connections = (int)number(optarg, 'p', 1, 1e4);
			break;
		case 'r':
			o.times = (int)number(optarg, 'r', 1, 1e6);
			break;
		case 't':
			o.seconds = number(optarg, 't', 0.001, 1e6);
			break;
		default:
			return usage();
		}
	}
	n = argc - optind;
	if (n == 0 && !o.channel)
		return usage();
	statements = calloc((size_t)n + 1, sizeof *statements);
	for (int i = 0; statements && i < n; i++) {
		char *name = malloc(16);

		if (name)
			snprintf(name, 16, "s%d", i);
		statements[i] = (struct pg_statement){name ? name : "", argv[optind + i]};
	}
	status = statements ? run(&o, statements, n) : 1;
	for (int i = 0; statements && i < n; i++)
		free((void *)(uintptr_t)statements[i].name);
	free(statements);
	return status;
}
