/* SPDX-License-Identifier: MIT */
/*
 * Trying ports: a goroutine for each, of which the scope lets so many run at once.  Each writes its own result alone.
 *
 * What says something about this machine, such as that it has no descriptor or no port left, says nothing about the port:
 * that is tried again a little later.
 */
#include "portscan.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <stdlib.h>
#include <unistd.h>

/* --- a port */

/* What it says, in printable characters and without the end of the line; NULL: nothing. */
static char *escape(const char *bytes, size_t n)
{
	char *text = malloc(4 * n + 1), *end = text;

	while (n && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		n--;
	if (!text || !n) {
		free(text);
		return NULL;
	}
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] >= ' ' && bytes[i] <= '~' && bytes[i] != '\\')
			*end++ = bytes[i];
		else
			end += sprintf(end, "\\x%02x", (unsigned char)bytes[i]);
	}
	*end = '\0';
	return text;
}

/* What a server says by itself.  Until the end of a line, for it may come in pieces. */
static char *banner(leat_conn *c, int64_t timeout_ns, leat_scope *scope)
{
	char bytes[BANNER_BYTES];
	size_t n = 0;
	ssize_t got;

	leat_conn_set_deadline(c, leat_now() + timeout_ns);
	while (n < sizeof bytes && !memchr(bytes, '\n', n) &&
	       (got = leat_conn_read_ctx(c, bytes + n, sizeof bytes - n, scope)) > 0)
		n += (size_t)got;
	return escape(bytes, n);
}

static enum state state_of(int err)
{
	switch (err) {
	case -ECONNREFUSED:
	case -ECONNRESET:
		return CLOSED;
	case -ETIMEDOUT:
	case -EHOSTUNREACH:
	case -ENETUNREACH:
	case -EACCES:
	case -EPERM:
		return FILTERED;
	}
	return TROUBLE;
}

struct attempt {
	struct scan *scan;
	leat_scope *scope;
	int port;
};

static const leat_error *attempt(struct attempt *a)
{
	const struct options *o = a->scan->options;
	const leat_dial_opts opts = {.timeout_ns = o->timeout_ns};
	struct result *r = &a->scan->results[a->port];
	const leat_error *e = NULL;
	char text[LEAT_ADDR_TEXT];
	leat_addr to = o->address;
	leat_conn *c;

	leat_addr_set_port(&to, a->port);
	c = leat_dial_with(&opts, "tcp", leat_addr_text(&to, text), a->scope, &e);
	if (!c)
		return e;
	if (o->banner)
		r->banner = banner(c, o->timeout_ns, a->scope);
	leat_conn_free(c);
	return NULL;
}

/* What is not the port's doing may go better. */
static bool is_final(int err, const leat_error *error, void *arg)
{
	(void)error;
	(void)arg;
	return state_of(err) != TROUBLE;
}

struct try_port {
	struct scan *scan;
	leat_scope *scope;
	int port;
};

static void try_port(struct try_port *a)
{
	static const leat_retry_opts again = {
	    .backoff = {.first_ns = 50 * LEAT_MILLISECOND, .max_ns = LEAT_SECOND},
	    .attempts = 6,
	    .permanent = is_final,
	};
	struct result *r = &a->scan->results[a->port];
	const leat_error *e = LEAT_RETRY_ERROR(&again, a->scope, attempt, a->scan, a->scope, a->port);
	enum state state = e ? state_of(leat_error_code(e)) : OPEN;

	if (e && leat_error_code(e) == -ECANCELED) { /* it was not tried to the end */
		leat_error_free(e);
		return;
	}
	if (state == TROUBLE)
		r->error = e;
	else
		leat_error_free(e);
	if (state == OPEN)
		atomic_fetch_add(&a->scan->open, 1);
	atomic_store(&r->state, state);
	atomic_fetch_add(&a->scan->tried, 1);
}

/* --- beside it */

struct watch {
	struct scan *scan;
	leat_scope *scope;
	recv_chan(int) signals;
};

static void watch(struct watch *a)
{
	chan_select {
		case_recv(a->signals, number) {
			a->scan->caught = number;
			scope_cancel(a->scope);
		}
		case_recv(scope_done(a->scope))
			break;
	}
}

struct progress {
	struct scan *scan;
	leat_scope *scope;
};

static void progress(struct progress *a)
{
	const struct scan *s = a->scan;

	while (leat_sleep_ctx(100 * LEAT_MILLISECOND, a->scope) == 0)
		fprintf(stderr, "\r%zu of %zu ports, %zu open\033[K", atomic_load(&s->tried), s->wanted,
		        atomic_load(&s->open));
	fprintf(stderr, "\r\033[K");
}

/* --- all of them */

/* Those that are there end with their scope; it is over when the last one has ended, or when outer is done. */
static void try_ports(struct scan *s, leat_scope *outer)
{
	const struct options *o = s->options;
	leat_limiter limiter;

	leat_limiter_init(&limiter, o->rate > 0 ? o->rate : LEAT_LIMITER_INF, 1);
	scope(tries, outer);
	scope_limit(tries, o->at_once);
	for (int port = 1; port < PORTS; port++) {
		if (!o->wanted[port])
			continue;
		if (leat_limiter_wait_ctx(&limiter, tries) != 0)
			break;
		scope_go(tries, try_port, s, tries, port);
	}
	scope_wait(tries);
}

void scan(struct scan *s, recv_chan(int) signals)
{
	int64_t since = leat_now();

	for (int port = 1; port < PORTS; port++)
		s->wanted += s->options->wanted[port];
	{
		scope(beside, NULL);

		scope_go(beside, watch, s, beside, signals);
		if (isatty(STDERR_FILENO))
			scope_go(beside, progress, s, beside);
		try_ports(s, beside);
	}
	s->seconds = (double)(leat_now() - since) / 1e9;
}
