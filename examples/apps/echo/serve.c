/* SPDX-License-Identifier: MIT */
/*
 * The server: a goroutine for each connection, which reads what there is and writes it back.
 *
 * It stops in order.  At the first signal it takes no more connections.  Each of those there are is served until its client
 * has been quiet for a moment or has ended, so that what was on its way is answered; then the client is shown the end, and
 * waited for to end, too: to close while something is unread would reset the connection, and echoes with it.  At a second
 * signal, or when the grace is over, what still goes on is cut off.
 *
 * All connections are in a list, under a lock, so that their deadlines can be moved.  Whoever comes after stopping or cut
 * was set finds that under the lock.
 */
#include "echo.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/resource.h>

struct server {
	leat_listener *listener;
	leat_mutex lock;
	struct guest *guests;
	leat_waitgroup open;
	_Atomic bool stopping, cut;
	_Atomic uint64_t connections, reads, bytes, late;
	int64_t quiet_ns, grace_ns;
	int caught;
};

struct guest {
	struct server *server;
	leat_conn *conn;
	struct guest *next, **link;
};

/* --- a connection */

static void enter(struct guest *g)
{
	struct server *v = g->server;

	{
		with_lock(&v->lock);

		g->next = v->guests;
		g->link = &v->guests;
		if (g->next)
			g->next->link = &g->next;
		v->guests = g;
		if (atomic_load(&v->cut))
			leat_conn_set_deadline(g->conn, 0);
		else if (atomic_load(&v->stopping))
			leat_conn_set_read_deadline(g->conn, leat_now() + v->quiet_ns);
	}
	atomic_fetch_add_explicit(&v->connections, 1, memory_order_relaxed);
}

static void leave(struct guest *g)
{
	struct server *v = g->server;

	{
		with_lock(&v->lock);

		*g->link = g->next;
		if (g->next)
			g->next->link = g->link;
	}
	leat_conn_free(g->conn);
	leat_waitgroup_done(&v->open);
}

/* One more moment to say something; false when it is cut off, which sets its deadline later than we or is seen here. */
static bool prolong(struct guest *g)
{
	leat_conn_set_read_deadline(g->conn, leat_now() + g->server->quiet_ns);
	return !atomic_load(&g->server->cut);
}

static void echo(struct guest *g)
{
	struct server *v = g->server;
	char buffer[16 << 10];
	ssize_t n;

	while ((n = leat_conn_read(g->conn, buffer, sizeof buffer)) > 0) {
		if (leat_conn_write(g->conn, buffer, (size_t)n, NULL) != 0)
			return;
		atomic_fetch_add_explicit(&v->reads, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&v->bytes, (uint64_t)n, memory_order_relaxed);
		if (atomic_load_explicit(&v->stopping, memory_order_relaxed) && !prolong(g))
			return;
	}
	if (n < 0 && n != -ETIMEDOUT)
		return;
	/* The end, behind the last echo; and until the client has seen it. */
	if (leat_conn_close_write(g->conn) != 0 || n == 0 || !prolong(g))
		return;
	while ((n = leat_conn_read(g->conn, buffer, sizeof buffer)) > 0)
		atomic_fetch_add_explicit(&v->late, (uint64_t)n, memory_order_relaxed);
}

struct visit {
	struct server *server;
	leat_conn *conn;
};

static void visit(struct visit *a)
{
	struct guest g = {.server = a->server, .conn = a->conn};

	enter(&g);
	echo(&g);
	leave(&g);
}

/* --- the signals */

static void deadlines(struct server *v, bool both, int64_t at_ns)
{
	{
		with_lock(&v->lock);

		for (struct guest *g = v->guests; g; g = g->next)
			both ? leat_conn_set_deadline(g->conn, at_ns)
			     : leat_conn_set_read_deadline(g->conn, at_ns);
	}
}

struct watch {
	struct server *server;
	leat_scope *scope;
	signals from;
};

static void watch(struct watch *a)
{
	struct server *v = a->server;
	int caught = next_signal(a->from, a->scope, LEAT_FOREVER);

	if (caught <= 0)
		return;
	v->caught = caught;
	leat_listener_close(v->listener);
	atomic_store(&v->stopping, true);
	deadlines(v, false, leat_now() + v->quiet_ns);
	if (next_signal(a->from, a->scope, v->grace_ns) == 0)
		return; /* all have left */
	atomic_store(&v->cut, true);
	deadlines(v, true, 0);
}

/* --- all of it */

static double cpu_seconds(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void say_where(const struct options *o, struct server *v)
{
	leat_addr a = leat_listener_addr(v->listener);
	char text[LEAT_ADDR_TEXT];

	printf("echo: serving %s %s\n", o->network, leat_addr_text(&a, text));
	fflush(stdout);
}

static void say_what_was_done(struct server *v)
{
	fprintf(stderr,
	        "echo: %s: %" PRIu64 " connections, %" PRIu64 " reads, %" PRIu64
	        " bytes, %.3f s of CPU time\n",
	        strsignal(v->caught), v->connections, v->reads, v->bytes, cpu_seconds());
	if (v->late)
		fprintf(stderr, "echo: %" PRIu64 " bytes came after the end and were not answered\n",
		        v->late);
	if (v->cut)
		fprintf(stderr, "echo: connections that still went on were cut off\n");
}

int serve(const struct options *o, signals from)
{
	struct server v = {.quiet_ns = o->quiet_ns, .grace_ns = o->grace_ns};
	const leat_error *e = NULL;
	leat_conn *c;
	int code = 0;

	v.listener = leat_listen(o->network, o->address, NULL, &e);
	if (!v.listener) {
		fprintf(stderr, "echo: %s\n", leat_error_message(e));
		leat_error_free(e);
		return EXIT_TROUBLE;
	}
	say_where(o, &v);
	scope(s, NULL);
	scope_go(s, watch, &v, s, from);
	while ((c = leat_accept(v.listener, NULL, &e))) {
		leat_waitgroup_add(&v.open, 1);
		scope_go(s, visit, &v, c);
	}
	if (leat_error_code(e) != -EBADF) {
		fprintf(stderr, "echo: %s\n", leat_error_message(e));
		code = EXIT_TROUBLE;
	}
	leat_error_free(e);
	leat_waitgroup_wait(&v.open);
	scope_cancel(s); /* watch returns */
	scope_wait(s);
	leat_listener_free(v.listener);
	if (v.caught)
		say_what_was_done(&v);
	return code;
}
