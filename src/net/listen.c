/* SPDX-License-Identifier: MIT */
/*
 * Listeners.
 *
 * Where descriptors or memory are short accept fails at once, and the connection stays in the kernel's queue: to try
 * again at once would spin.  So it waits, 5 ms at first and twice as long each time, up to a second, as long as that
 * goes on.  The listener's close, its deadline and the context end that wait as any other.
 */
#include "net/dial.h"
#include "io/sock.h"

#include <leat/defer.h>
#include <leat/fd.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BACK_OFF_MIN (5 * LEAT_MILLISECOND)
#define BACK_OFF_MAX LEAT_SECOND

struct leat_listener {
	struct leat__sock sock;
	leat_listen_opts opts;
	leat_addr addr;
};

/* --- making one */

static int open_socket(const struct leat__network *n, leat_addr *a, const leat_listen_opts *o)
{
	int fd = leat__network_socket_at(n, a), err = 0;

	if (fd < 0)
		return fd;
	/* A server that is started anew must not wait for its old connections' last packets. */
	if (a->any.sa_family != AF_UNIX)
		err = leat__os_set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!err && o->reuse_port)
		err = leat__os_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!err)
		err = leat__os_bind(fd, &a->any, a->bytes);
	if (err) {
		leat_close_fd(fd);
		return err;
	}
	err = leat__os_listen(fd, o->backlog);
	if (err) {
		leat__network_abandon(fd, a);
		return err;
	}
	return fd;
}

static int make(leat_listener *l, const struct leat__network *n)
{
	int err, fd;

	fd = open_socket(n, &l->addr, &l->opts);
	if (fd < 0)
		return fd;
	err = leat__sock_open(&l->sock, fd, n->name);
	if (err) {
		leat__network_abandon(fd, &l->addr);
		return err;
	}
	leat__sock_addresses(&l->sock);
	l->addr = l->sock.local;
	l->sock.file = leat__addr_is_path(&l->addr) && !l->opts.keep_file;
	return 0;
}

static void free_at(leat_listener **l)
{
	free(*l);
}

leat_listener *leat_listen_ctx(const char *network, const char *address,
                               const leat_listen_opts *opts, leat_any_ctx ctx,
                               const leat_error **error)
{
	const struct leat__network *n = leat__network_of(network);
	leat_listener *l = calloc(1, sizeof *l), *unfinished = l;
	int err;
	LEAT_DEFER(free_at, &unfinished); /* an error that finds no memory panics */

	if (!l || !n) {
		err = l ? -EPROTONOSUPPORT : -ENOMEM;
	} else {
		l->opts = opts ? *opts : (leat_listen_opts){0};
		err = n->type == SOCK_DGRAM ? -EPROTOTYPE : 0;
		if (!err &&
		    leat__listen_address(n, l->opts.resolver, address, ctx.leat__ctx, &l->addr, error))
			return NULL;
		if (!err)
			err = make(l, n);
	}
	if (!err)
		unfinished = NULL;
	else if (error)
		*error = leat__listen_error(network, address, err);
	return err ? NULL : l;
}

leat_listener *leat_listen(const char *network, const char *address, const leat_listen_opts *opts,
                           const leat_error **error)
{
	return leat_listen_ctx(network, address, opts, (leat_any_ctx)(leat_ctx *)NULL, error);
}

/* --- accepting */

/* Connections that are gone before they were taken, and what is of the network, not of the listener: see accept(2). */
static bool passes(int err)
{
	switch (err) {
	case -ECONNABORTED:
	case -ENETDOWN:
	case -EPROTO:
	case -ENOPROTOOPT:
	case -EHOSTDOWN:
	case -ENONET:
	case -EHOSTUNREACH:
	case -EOPNOTSUPP:
	case -ENETUNREACH:
	case -EPERM:
		return true;
	}
	return false;
}

/* ENOSPC: of descriptors that may be watched. */
static bool short_of(int err)
{
	return err == -EMFILE || err == -ENFILE || err == -ENOBUFS || err == -ENOMEM || err == -ENOSPC;
}

static int64_t next_delay(int64_t delay)
{
	if (!delay)
		return BACK_OFF_MIN;
	return delay * 2 < BACK_OFF_MAX ? delay * 2 : BACK_OFF_MAX;
}

/* The turn is the caller's.  0 to try again. */
static int leat__accept_wait(leat_listener *l, int why, int64_t *delay, leat_ctx *ctx)
{
	struct leat__sock *s = &l->sock;

	if (why == -EAGAIN)
		return leat__sock_wait(s, LEAT__POLL_READ, ctx);
	if (short_of(why))
		return leat__sock_pause(s, LEAT__POLL_READ, ctx, *delay = next_delay(*delay));
	return passes(why) ? 0 : why;
}

static void close_fd(const int *fd)
{
	if (*fd >= 0)
		leat_close_fd(*fd);
}

/* Where there is no memory for it now, it waits here as it would have in the queue. */
static leat_conn *leat__accept_make(leat_listener *l, int fd, leat_ctx *ctx, int *err)
{
	leat_conn *c;
	int64_t delay = 0;
	int unfinished = fd, why;
	LEAT_DEFER(close_fd, &unfinished);

	if (l->addr.any.sa_family != AF_UNIX)
		leat__tcp_options(fd, l->opts.delay, l->opts.keep_alive_ns);
	while (!(c = leat__conn_of_socket(fd, l->sock.network, &why)))
		if ((*err = leat__accept_wait(l, why, &delay, ctx)))
			return NULL;
	unfinished = -1;
	return c;
}

static leat_conn *leat__accept(leat_listener *l, leat_ctx *ctx, int *err)
{
	struct leat__sock *s = &l->sock;
	leat_conn *c = NULL;
	int64_t delay = 0;
	int fd = -1;

	*err = leat__sock_begin(s, LEAT__POLL_READ, ctx);
	if (*err)
		return NULL;
	while (!*err && (fd = leat__os_accept(s->fd)) < 0) {
		*err = leat__accept_wait(l, fd, &delay, ctx);
		if (!*err && fd != -EAGAIN)
			*err = leat__sock_again(s, LEAT__POLL_READ);
	}
	if (!*err)
		c = leat__accept_make(l, fd, ctx, err);
	leat__sock_end(s, LEAT__POLL_READ);
	return c;
}

/* Which system call said so, or NULL where leat did. */
static const char *who_says(int err)
{
	return err == -EBADF || err == -ETIMEDOUT || err == -ECANCELED ? NULL : "accept4";
}

leat_conn *leat_accept(leat_listener *l, leat_any_ctx ctx, const leat_error **error)
{
	int err;
	leat_conn *c = leat__accept(l, ctx.leat__ctx, &err);

	if (!c && error)
		*error = leat__op_error("accept", l->sock.network, NULL, &l->addr, who_says(err), err);
	return c;
}

/* --- the rest */

leat_addr leat_listener_addr(leat_listener *l)
{
	return l->addr;
}

int leat_listener_fd(leat_listener *l)
{
	return load_acquire(&l->sock.closed) ? -1 : l->sock.fd;
}

int leat_listener_set_deadline(leat_listener *l, int64_t at_ns)
{
	return leat__sock_set_deadline(&l->sock, LEAT__POLL_READ, at_ns);
}

int leat_listener_close(leat_listener *l)
{
	return leat__sock_close(&l->sock);
}

void leat_listener_free(leat_listener *l)
{
	if (!l)
		return;
	leat_listener_close(l);
	free(l);
}
