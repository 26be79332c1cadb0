/* SPDX-License-Identifier: MIT */
/* Connecting to an address. */
#include "net/dial.h"

#include "io/sock.h"

#include <leat/defer.h>
#include <leat/fd.h>
#include <leat/select.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FULL_MIN (100 * LEAT_MICROSECOND)
#define FULL_MAX (50 * LEAT_MILLISECOND)

#define ITSELF_TRIES 2 /* as Go's */

/* ":80" is any address of whichever family is dialled.  *a: where it was bound to, if it was. */
static int bind_local(int fd, const struct leat__network *n, const char *local, const leat_addr *to,
                      leat_addr *a)
{
	leat_addr wanted;
	int err, port;

	if (!local)
		return 0;
	err = leat__network_literal(n, local, &wanted);
	if (err)
		return err;
	if (leat__addr_is_any(&wanted) && wanted.any.sa_family != to->any.sa_family) {
		port = leat_addr_port(&wanted);
		leat_addr_parse(&wanted, to->any.sa_family == AF_INET ? "0.0.0.0:0" : "[::]:0");
		leat_addr_set_port(&wanted, port);
	}
	err = leat__os_bind(fd, &wanted.any, wanted.bytes);
	if (!err)
		*a = wanted;
	return err;
}

/*
 * Until it is connected, which begun says of the first try.  A Unix listener whose queue is full says EAGAIN, where others
 * would let it wait, and no edge tells that there is room.
 */
static int leat__connect(struct leat__sock *s, const leat_addr *to, leat_ctx *ctx, int begun)
{
	int64_t delay = FULL_MIN;
	int err = leat__sock_begin(s, LEAT__POLL_WRITE, ctx);

	if (err)
		return err;
	for (err = begun; err == -EAGAIN; err = leat__os_connect(s->fd, &to->any, to->bytes)) {
		err = leat__sock_pause(s, LEAT__POLL_WRITE, ctx, delay);
		if (err)
			break;
		delay = delay * 2 < FULL_MAX ? delay * 2 : FULL_MAX;
	}
	while (err == -EINPROGRESS && (err = leat__os_connected(s->fd)) == -EINPROGRESS) {
		err = leat__sock_wait(s, LEAT__POLL_WRITE, ctx);
		if (!err)
			err = -EINPROGRESS;
	}
	leat__sock_end(s, LEAT__POLL_WRITE);
	return err;
}

/*
 * A port that the system chooses for this end may be the one that is dialled: then TCP connects the socket with itself, and
 * nobody listens there.
 */
static bool is_itself(struct leat__sock *s)
{
	return !s->records && s->local.any.sa_family != AF_UNIX &&
	       leat_addr_equal(&s->local, &s->remote);
}

/* Not where the program has chosen that port: then it means itself. */
static bool chooses_port(const struct leat__dial *d)
{
	const char *local = d->opts->local;
	leat_addr a;

	return local && leat__network_literal(d->network, local, &a) == 0 && leat_addr_port(&a) > 0;
}

/*
 * The connection is begun before the socket is watched: one that is not connected counts as hung up, and the poll descriptor
 * would keep that in mind, so that each read tries first (leat__sock_read).
 */
static void leat__dial_undo(leat_conn **c)
{
	leat_conn_free(*c);
}

static leat_conn *leat__dial_once(const struct leat__dial *d, const leat_addr *to, leat_ctx *ctx,
                                  int64_t until, int *err)
{
	const leat_dial_opts *o = d->opts;
	int fd = leat__network_socket(d->network, to), begun;
	leat_addr local = {0};
	leat_conn *c = NULL, *unfinished = NULL;
	struct leat__sock *s;
	LEAT_DEFER(leat__dial_undo, &unfinished); /* a context of the program's may panic */

	*err = fd < 0 ? fd : 0;
	if (*err)
		return NULL;
	*err = bind_local(fd, d->network, o->local, to, &local);
	begun = *err ? *err : leat__os_connect(fd, &to->any, to->bytes);
	if (begun == 0 || begun == -EINPROGRESS || begun == -EAGAIN)
		c = leat__conn_of_socket(fd, d->network->name, err);
	else
		*err = begun;
	if (!c) {
		leat__network_abandon(fd, &local);
		return NULL;
	}
	unfinished = c;
	s = leat__conn_sock(c);
	s->file = leat__addr_is_path(&local);
	if (until != LEAT_FOREVER)
		*err = leat__sock_set_deadline(s, LEAT__POLL_WRITE, until);
	if (!*err)
		*err = leat__connect(s, to, ctx, begun);
	if (!*err && until != LEAT_FOREVER)
		*err = leat__sock_set_deadline(s, LEAT__POLL_WRITE, LEAT_FOREVER);
	if (*err)
		return NULL;
	leat__sock_addresses(s);
	unfinished = NULL;
	if (d->network->type == SOCK_STREAM && to->any.sa_family != AF_UNIX)
		leat__tcp_options(fd, o->delay, o->keep_alive_ns);
	return c;
}

struct leat__dialled leat__dial_one(const struct leat__dial *d, const leat_addr *to, leat_ctx *ctx,
                                    int64_t until)
{
	struct leat__dialled result = {.to = *to, .err = leat_ctx_err((leat_any_ctx)ctx)};
	leat_conn *c = NULL;

	if (!result.err)
		c = leat__dial_once(d, to, ctx, until, &result.err);
	for (int i = 0; i < ITSELF_TRIES && c && is_itself(leat__conn_sock(c)) && !chooses_port(d);
	     i++) {
		leat_conn_free(c);
		c = leat__dial_once(d, to, ctx, until, &result.err);
	}
	result.conn = c;
	result.timed = result.err && (leat_ctx_err((leat_any_ctx)ctx) == result.err ||
	                              (result.err == -ETIMEDOUT && leat_now() >= until));
	return result;
}

/* --- errors */

/* Which system call said so; NULL: none did, but a context or a deadline. */
static const char *who_says(const leat_dial_opts *o, const struct leat__dialled *r)
{
	if (r->timed)
		return NULL;
	switch (r->err) {
	case -EMFILE:
	case -ENFILE:
	case -EAFNOSUPPORT:
	case -EPROTONOSUPPORT:
		return "socket";
	case -EADDRINUSE:
	case -EADDRNOTAVAIL:
		return o->local ? "bind" : "connect";
	}
	return "connect";
}

static const leat_error *error_of(const struct leat__dial *d, const struct leat__dialled *r)
{
	leat_addr local = {0};

	if (d->opts->local)
		leat__network_literal(d->network, d->opts->local, &local);
	return leat__op_error("dial", d->network->name, &local, &r->to, who_says(d->opts, r), r->err);
}

/* --- the public ones */

/* Those that can be dialled from local: of its family, unless it is any address. */
static size_t keep_family(leat_addr *list, size_t n, const leat_addr *local)
{
	size_t kept = 0;

	if (!local->bytes || leat__addr_is_any(local))
		return n;
	for (size_t i = 0; i < n; i++)
		if (list[i].any.sa_family == local->any.sa_family)
			list[kept++] = list[i];
	return kept;
}

static void free_block(struct leat__answer *a)
{
	free(a->block);
}

static leat_conn *leat__dial(const struct leat__dial *d, const char *address, leat_ctx *ctx,
                             const leat_error **error)
{
	/* Nobody's own address is dialled by ":80": IPv4's is taken where the network leaves the choice. */
	const struct leat__network *n = d->network, v4 = {n->name, AF_INET, n->type};
	struct leat__answer a = {0};
	struct leat__dialled r;
	leat_addr local = {0};
	LEAT_DEFER(free_block, &a);
	int err = d->opts->local ? leat__network_literal(n, d->opts->local, &local) : 0;

	if (err) {
		if (error)
			*error = leat__address_error("dial", n->name, d->opts->local, err);
		return NULL;
	}
	if (leat__dial_addresses("dial", address[0] == ':' && !n->family ? &v4 : n, d->opts->resolver,
	                         address, ctx, &a, error))
		return NULL;
	a.n = keep_family(a.block, a.n, &local);
	if (!a.n) {
		if (error)
			*error = leat__address_error("dial", n->name, address, -EAFNOSUPPORT);
		return NULL;
	}
	r = leat__dial_race(d, a.block, a.n, ctx);
	if (!r.conn && error)
		*error = error_of(d, &r);
	return r.conn;
}

leat_conn *leat_dial_with(const leat_dial_opts *opts, const char *network, const char *address,
                          leat_any_ctx ctx, const leat_error **error)
{
	static const leat_dial_opts none;
	struct leat__dial d = {opts ? opts : &none, leat__network_of(network)};
	leat_ctx *within = NULL;

	if (!d.network) {
		if (error)
			*error = leat__address_error("dial", network, address, -EPROTONOSUPPORT);
		return NULL;
	}
	if (d.opts->timeout_ns > 0)
		within = leat_ctx_with_timeout(ctx.leat__ctx ? ctx : (leat_any_ctx)leat_ctx_background(),
		                               d.opts->timeout_ns);
	LEAT_DEFER(leat_ctx_free, within); /* an error that finds no memory panics */
	return leat__dial(&d, address, within ? within : ctx.leat__ctx, error);
}

leat_conn *leat_dial(const char *network, const char *address, leat_any_ctx ctx,
                     const leat_error **error)
{
	return leat_dial_with(NULL, network, address, ctx, error);
}
