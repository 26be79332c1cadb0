/* SPDX-License-Identifier: MIT */
/*
 * The load generator: on each connection one request at a time, and the next when its answer is there.
 *
 * All connect first, and begin together.  What is under way when the time is over is waited for, so that each request that was
 * sent is answered and counted, or an error.  A connection with an error goes on no more.  A signal ends the time.
 *
 * Connections are in their places before anybody begins, and are freed when all have ended, so that he who gets the signal may
 * move their deadlines.
 */
#include "echo.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define LAST_NS LEAT_SECOND /* after a signal */

enum { SHARDS = 16 }; /* so that processors seldom add to the same */

struct generator {
	const struct options *o;
	leat_waitgroup connected;
	chan(leat_empty) begin;
	int64_t until;      /* set before begin is closed */
	_Atomic int caught; /* a signal */
	leat_conn *_Atomic *conns;
	struct histogram *times; /* SHARDS of them */
	_Atomic uint64_t errors;
	leat_mutex lock;
	const leat_error *first; /* of the errors; under lock */
};

static void fail(struct generator *g, const leat_error *e)
{
	if (atomic_load(&g->caught)) {
		leat_error_free(e);
		return;
	}
	atomic_fetch_add(&g->errors, 1);
	{
		with_lock(&g->lock);

		if (!g->first) {
			g->first = e;
			e = NULL;
		}
	}
	leat_error_free(e);
}

/* --- a connection */

/* One request and its answer; false: that was the last. */
static bool request(struct generator *g, leat_conn *c, int number, char *out, char *in)
{
	size_t bytes = g->o->bytes;
	int64_t since = leat_now();
	const char *what = "write";
	int err = leat_conn_write(c, out, bytes, NULL);

	if (!err) {
		what = "read";
		err = leat_conn_read_full(c, in, bytes, NULL, NULL);
	}
	if (err) {
		fail(g, leat_conn_error(c, what, err));
		return false;
	}
	histogram_add(&g->times[number % SHARDS], leat_now() - since);
	if (memcmp(out, in, bytes) == 0)
		return true;
	fail(g, leat_errorf(NULL, "the answer is not what was sent"));
	return false;
}

static void requests(struct generator *g, leat_conn *c, int number)
{
	size_t bytes = g->o->bytes;
	char *out = malloc(2 * bytes), *in = out + bytes;

	if (!out) {
		fail(g, leat_error_errno(-ENOMEM));
		return;
	}
	for (size_t i = 0; i < bytes; i++)
		out[i] = (char)(i + (size_t)number);
	/* No two requests of a connection are alike. */
	for (uint64_t i = 0; leat_now() < g->until && !atomic_load(&g->caught); i++) {
		memcpy(out, &i, bytes < sizeof i ? bytes : sizeof i);
		if (!request(g, c, number, out, in))
			break;
	}
	free(out);
}

struct client {
	struct generator *g;
	leat_scope *scope;
	int number;
};

static void client(struct client *a)
{
	struct generator *g = a->g;
	const leat_dial_opts opts = {.timeout_ns = g->o->timeout_ns};
	const leat_error *e = NULL;
	leat_conn *c = leat_dial_with(&opts, g->o->network, g->o->address, a->scope, &e);
	leat_empty never;

	if (c)
		atomic_store(&g->conns[a->number], c);
	else
		fail(g, e);
	leat_waitgroup_done(&g->connected);
	if (!c)
		return;
	if (chan_recv_ctx(g->begin, &never, a->scope) != -ECANCELED) {
		leat_conn_set_deadline(c, g->until + g->o->timeout_ns);
		requests(g, c, a->number);
	}
	leat_conn_close_write(c);
}

/* --- the signal */

struct watch {
	struct generator *g;
	leat_scope *scope;
	signals from;
};

static void watch(struct watch *a)
{
	struct generator *g = a->g;
	int caught = next_signal(a->from, a->scope, LEAT_FOREVER);

	if (caught <= 0)
		return;
	atomic_store(&g->caught, caught);
	scope_cancel(a->scope);
	for (int i = 0; i < g->o->connections; i++) {
		leat_conn *c = atomic_load(&g->conns[i]);

		if (c)
			leat_conn_set_deadline(c, leat_now() + LAST_NS);
	}
}

/* --- what came of it */

static void print_text(const struct options *o, const struct histogram *h, double seconds,
                       uint64_t errors)
{
	double n = (double)histogram_count(h);

	printf("%s %s: %d connections, %zu bytes, %.2f s\n", o->network, o->address, o->connections,
	       o->bytes, seconds);
	printf("requests  %.0f, %.0f a second, %.2f MB a second each way\n", n, n / seconds,
	       n * (double)o->bytes / seconds / 1e6);
	printf("time      50%% within %.1f us, 99%% %.1f us, 99.9%% %.1f us, all %.1f us\n",
	       (double)histogram_quantile(h, 0.5) / 1e3, (double)histogram_quantile(h, 0.99) / 1e3,
	       (double)histogram_quantile(h, 0.999) / 1e3, (double)h->most / 1e3);
	printf("errors    %" PRIu64 "\n", errors);
}

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == '"' || *text == '\\')
			printf("\\u%04x", (unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static void print_json(const struct options *o, const struct histogram *h, double seconds,
                       uint64_t errors)
{
	uint64_t n = histogram_count(h);

	printf("{\"network\": \"%s\", \"address\": ", o->network);
	print_string(o->address);
	printf(", \"connections\": %d, \"bytes\": %zu, \"seconds\": %.6f, \"requests\": %" PRIu64
	       ", \"requests_per_second\": %.1f, ",
	       o->connections, o->bytes, seconds, n, (double)n / seconds);
	printf("\"latency_us\": {\"p50\": %.3f, \"p99\": %.3f, \"p99.9\": %.3f, \"max\": %.3f}, "
	       "\"errors\": %" PRIu64 "}\n",
	       (double)histogram_quantile(h, 0.5) / 1e3, (double)histogram_quantile(h, 0.99) / 1e3,
	       (double)histogram_quantile(h, 0.999) / 1e3, (double)h->most / 1e3, errors);
}

static int report(struct generator *g, double seconds)
{
	for (int i = 1; i < SHARDS; i++)
		histogram_merge(&g->times[0], &g->times[i]);
	(g->o->json ? print_json : print_text)(g->o, &g->times[0], seconds, g->errors);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "echo: cannot write: %s\n", strerror(errno));
		return EXIT_TROUBLE;
	}
	if (g->first)
		fprintf(stderr, "echo: %s%s\n", leat_error_message(g->first),
		        g->errors > 1 ? " (the first of several errors)" : "");
	if (g->caught) {
		fprintf(stderr, "echo: %s: stopped\n", strsignal(g->caught));
		return EXIT_SIGNAL + g->caught;
	}
	return g->errors ? EXIT_TROUBLE : 0;
}

/* --- all of it */

static int64_t run(struct generator *g, signals from)
{
	leat_waitgroup clients = {0};
	int64_t since;

	scope(s, NULL);
	scope_go(s, watch, g, s, from);
	leat_waitgroup_add(&g->connected, g->o->connections);
	for (int i = 0; i < g->o->connections; i++)
		wg_go(&clients, client, g, s, i);
	leat_waitgroup_wait(&g->connected);
	since = leat_now();
	g->until = since + g->o->duration_ns;
	chan_close(g->begin);
	leat_waitgroup_wait(&clients);
	since = leat_now() - since;
	scope_cancel(s); /* watch returns */
	scope_wait(s);
	return since > 0 ? since : 1;
}

int load(const struct options *o, signals from)
{
	struct generator g = {.o = o};
	int status = EXIT_TROUBLE;
	int64_t time_ns;

	g.conns = calloc((size_t)o->connections, sizeof *g.conns);
	g.times = calloc(SHARDS, sizeof *g.times);
	g.begin = chan_make(leat_empty, 0);
	if (g.conns && g.times) {
		time_ns = run(&g, from);
		status = report(&g, (double)time_ns / 1e9);
	} else {
		fprintf(stderr, "echo: out of memory\n");
	}
	for (int i = 0; g.conns && i < o->connections; i++)
		leat_conn_free(g.conns[i]);
	leat_error_free(g.first);
	chan_free(g.begin);
	free(g.times);
	free(g.conns);
	return status;
}
