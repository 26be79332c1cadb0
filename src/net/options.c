/* SPDX-License-Identifier: MIT */
/* Options of connections: see leat/net.h.  Kinds that have a descriptor underneath (TLS) pass them on to that. */
#include "io/sock.h"

#include <leat/defer.h>
#include <leat/time.h>

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

struct option {
	int level, name;
	const void *value;
	socklen_t bytes;
};

static int set(int fd, void *arg)
{
	const struct option *o = arg;

	return leat__os_set_option_of(fd, o->level, o->name, o->value, o->bytes);
}

int leat__sock_set_option(struct leat__sock *s, int level, int name, const void *value,
                          socklen_t bytes)
{
	struct option o = {level, name, value, bytes};

	return leat__sock_with(s, set, &o);
}

/* NULL: nobody of ours has ever used the number. */
static void let_go(struct leat__pd *pd)
{
	if (pd)
		leat__pd_let_go(pd);
}

/*
 * Of other kinds no more is known than the number of a descriptor, which may be another file's as soon as it is told.  So the
 * number is held, which keeps a socket of ours from being closed, and is asked for once more: who closed it before says so.
 */
static int leat__set_by_number(leat_conn *c, struct option *o)
{
	int fd = c->ops->fd ? c->ops->fd(c) : -ENOTSUP, err = -EBADF;
	struct leat__pd *pd;

	if (fd < 0)
		return fd == -EBADF ? fd : -ENOTSUP;
	leat__sock_settle();
	pd = leat__pd_find(fd);
	if (pd && !leat__pd_hold(pd))
		return err;
	LEAT_DEFER(let_go, pd); /* a kind's fd may panic */
	if (c->ops->fd(c) == fd)
		err = set(fd, o);
	return err;
}

/* The options of TCP are errors of other sockets' in several ways. */
static int leat__set_option(leat_conn *c, int level, int name, const void *value, socklen_t bytes)
{
	struct option o = {level, name, value, bytes};
	struct leat__sock *s = leat__conn_sock(c);
	int err = s ? leat__sock_with(s, set, &o) : leat__set_by_number(c, &o);

	return err == -ENOPROTOOPT || err == -EOPNOTSUPP ? -ENOTSUP : err;
}

static int leat__set_int(leat_conn *c, int level, int name, int value)
{
	return leat__set_option(c, level, name, &value, sizeof value);
}

int leat_conn_set_no_delay(leat_conn *c, bool yes)
{
	return leat__set_int(c, IPPROTO_TCP, TCP_NODELAY, yes);
}

int leat_conn_set_keep_alive(leat_conn *c, int64_t period_ns)
{
	int64_t seconds = period_ns / LEAT_SECOND + (period_ns % LEAT_SECOND > 0);
	int err = leat__set_int(c, SOL_SOCKET, SO_KEEPALIVE, period_ns >= 0);

	if (err || period_ns < 0)
		return err;
	if (!seconds)
		seconds = 15;
	if (seconds > 32767)
		seconds = 32767; /* the kernel's most */
	err = leat__set_int(c, IPPROTO_TCP, TCP_KEEPIDLE, (int)seconds);
	return err ? err : leat__set_int(c, IPPROTO_TCP, TCP_KEEPINTVL, (int)seconds);
}

int leat_conn_set_user_timeout(leat_conn *c, int64_t timeout_ns)
{
	int64_t ms = timeout_ns / LEAT_MILLISECOND + (timeout_ns % LEAT_MILLISECOND > 0);

	if (timeout_ns < 0)
		ms = -1; /* the kernel says what it thinks of that */
	return leat__set_int(c, IPPROTO_TCP, TCP_USER_TIMEOUT, ms > INT_MAX ? INT_MAX : (int)ms);
}

int leat_conn_set_linger(leat_conn *c, int seconds)
{
	struct linger l = {.l_onoff = seconds >= 0, .l_linger = seconds < 0 ? 0 : seconds};

	return leat__set_option(c, SOL_SOCKET, SO_LINGER, &l, sizeof l);
}

int leat_conn_set_read_buffer(leat_conn *c, int bytes)
{
	return leat__set_int(c, SOL_SOCKET, SO_RCVBUF, bytes);
}

int leat_conn_set_write_buffer(leat_conn *c, int bytes)
{
	return leat__set_int(c, SOL_SOCKET, SO_SNDBUF, bytes);
}
