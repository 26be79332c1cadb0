/* SPDX-License-Identifier: MIT */
/*
 * Sockets that keep records apart: datagrams (leat/packet.h), and "unixpacket".
 *
 * A record is sent whole or not at all, so there is nothing to go on with after a wait.  One that has no room where it is
 * read is not lost in silence: MSG_TRUNC has the kernel say how long it was.
 *
 * A full queue at the other end.  UDP drops what has no room.  Unix's says EAGAIN, and the kernel wakes who is connected when
 * there is room again.  For who is not, it watches no queue: such a socket is writable while its own buffer has room, and the
 * failed try, which gives its room back, makes an edge that says so, so that waiting for one would spin.  So that one tries
 * again after some time, twice as long each time.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mmsghdr */
#endif
#include "net/dial.h"
#include "io/sock.h"

#include "sched/panic.h"

#include <leat/defer.h>
#include <leat/fd.h>
#include <leat/packet.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FULL_MIN (100 * LEAT_MICROSECOND)
#define FULL_MAX (20 * LEAT_MILLISECOND)

#define READ_MOST  1024 /* the kernel's own limit */
#define WRITE_MOST 64   /* more make a system call no cheaper */

/* --- one */

ssize_t leat__record_read(struct leat__sock *s, void *to, size_t bytes, leat_addr *from,
                          leat_ctx *ctx)
{
	int err = leat__sock_begin(s, LEAT__POLL_READ, ctx);
	socklen_t room = 0;
	ssize_t n = 0;

	if (err)
		return err;
	do {
		if (leat__sock_at_end(s)) { /* not all kinds are told by the system, when they wait */
			if (from)
				*from = (leat_addr){0};
			n = 0;
			break;
		}
		room = from ? sizeof from->leat__room : 0;
		n = leat__os_recvfrom(s->fd, to, bytes, MSG_TRUNC, from ? &from->any : NULL,
		                      from ? &room : NULL);
	} while (n == -EAGAIN && !(err = leat__sock_wait(s, LEAT__POLL_READ, ctx)));
	leat__sock_end(s, LEAT__POLL_READ);
	if (err || n < 0)
		return err ? err : n;
	if (from) {
		from->bytes = room;
		leat__addr_unmap(from);
	}
	return (size_t)n > bytes ? -EMSGSIZE : n;
}

/* After EAGAIN; *delay is 0 at first. */
static int leat__record_wait(struct leat__sock *s, bool addressed, leat_ctx *ctx, int64_t *delay)
{
	int err;

	if (!addressed || s->local.any.sa_family != AF_UNIX)
		return leat__sock_wait(s, LEAT__POLL_WRITE, ctx);
	*delay = !*delay ? FULL_MIN : *delay * 2 < FULL_MAX ? *delay * 2 : FULL_MAX;
	err = leat__sock_pause(s, LEAT__POLL_WRITE, ctx, *delay);
	return err ? err : leat__sock_again(s, LEAT__POLL_WRITE);
}

int leat__record_write(struct leat__sock *s, const void *from, size_t bytes, const leat_addr *to,
                       leat_ctx *ctx, size_t *written)
{
	int err = leat__sock_begin(s, LEAT__POLL_WRITE, ctx);
	int64_t delay = 0;
	ssize_t n = 0;

	*written = 0;
	if (err)
		return err;
	/* Of "unixpacket" no bytes are the end. */
	while ((bytes || s->datagrams) && !err &&
	       (n = leat__os_sendto(s->fd, from, bytes, to ? &to->any : NULL, to ? to->bytes : 0)) ==
	           -EAGAIN)
		err = leat__record_wait(s, to != NULL, ctx, &delay);
	leat__sock_end(s, LEAT__POLL_WRITE);
	if (!err && n > 0)
		*written = (size_t)n;
	return err ? err : n < 0 ? (int)n : 0;
}

static bool has_bytes(const struct msghdr *msg)
{
	for (size_t i = 0; i < (size_t)msg->msg_iovlen; i++) /* an int in musl */
		if (msg->msg_iov[i].iov_len)
			return true;
	return false;
}

int leat__record_send(struct leat__sock *s, const struct msghdr *msg, leat_ctx *ctx,
                      size_t *written)
{
	int err = leat__sock_begin(s, LEAT__POLL_WRITE, ctx);
	ssize_t n = 0;

	*written = 0;
	if (err)
		return err;
	if (s->datagrams || has_bytes(msg))
		while ((n = leat__os_sendmsg(s->fd, msg)) == -EAGAIN &&
		       !(err = leat__sock_wait(s, LEAT__POLL_WRITE, ctx)))
			;
	leat__sock_end(s, LEAT__POLL_WRITE);
	if (!err && n > 0)
		*written = (size_t)n;
	return err ? err : n < 0 ? (int)n : 0;
}

static struct leat__sock *datagrams_of(leat_conn *c)
{
	struct leat__sock *s = leat__conn_sock(c);

	return s && s->datagrams ? s : NULL;
}

ssize_t leat_packet_read_from(leat_conn *c, void *to, size_t bytes, leat_addr *from,
                              leat_any_ctx ctx)
{
	struct leat__sock *s = datagrams_of(c);

	return s ? leat__record_read(s, to, bytes, from, ctx.leat__ctx) : -ENOTSUP;
}

int leat_packet_write_to(leat_conn *c, const void *from, size_t bytes, const leat_addr *to,
                         leat_any_ctx ctx)
{
	struct leat__sock *s = datagrams_of(c);
	size_t written;

	if (!s)
		return -ENOTSUP;
	if (s->remote.bytes)
		return -EISCONN;
	if (!to->bytes)
		return -EDESTADDRREQ;
	return leat__record_write(s, from, bytes, to, ctx.leat__ctx, &written);
}

/* --- several */

/* What the kernel takes for n packets: their headers, and behind them their pieces. */
static struct mmsghdr *prepare(const leat_packet *packets, size_t n, bool reading)
{
	struct mmsghdr *headers = calloc(n, sizeof *headers + sizeof(struct iovec));
	struct iovec *parts = (void *)(headers + n);

	for (size_t i = 0; headers && i < n; i++) {
		struct msghdr *h = &headers[i].msg_hdr;
		const leat_packet *p = &packets[i];

		parts[i] = (struct iovec){p->data, reading ? p->room : p->bytes};
		h->msg_iov = &parts[i];
		h->msg_iovlen = 1;
		h->msg_namelen = reading ? sizeof p->addr.leat__room : p->addr.bytes;
		h->msg_name = h->msg_namelen ? (void *)(uintptr_t)&p->addr.any : NULL;
	}
	return headers;
}

static void take(leat_packet *p, const struct mmsghdr *h)
{
	p->addr.bytes = h->msg_hdr.msg_namelen;
	leat__addr_unmap(&p->addr);
	p->bytes = h->msg_len < p->room ? h->msg_len : p->room;
	p->lost = h->msg_len - p->bytes;
}

int leat_packet_read_batch(leat_conn *c, leat_packet *packets, int n, leat_any_ctx ctx)
{
	struct leat__sock *s = datagrams_of(c);
	struct mmsghdr *headers;
	int err, got = 0;

	if (n < 0)
		leat__panic_runtime("packet_read_batch: negative number of packets");
	if (!s)
		return -ENOTSUP;
	if (!n)
		return 0;
	if (n > READ_MOST)
		n = READ_MOST;
	headers = prepare(packets, (size_t)n, true);
	if (!headers)
		return -ENOMEM;
	LEAT_DEFER(free, headers);
	err = leat__sock_begin(s, LEAT__POLL_READ, ctx.leat__ctx);
	if (!err) {
		while (!leat__sock_at_end(s) &&
		       (got = leat__os_recvmmsg(s->fd, headers, (unsigned)n, MSG_TRUNC)) == -EAGAIN &&
		       !(err = leat__sock_wait(s, LEAT__POLL_READ, ctx.leat__ctx)))
			;
		leat__sock_end(s, LEAT__POLL_READ);
	}
	if (got == -EAGAIN) /* at the end since it waited */
		got = 0;
	for (int i = 0; !err && i < got; i++)
		take(&packets[i], &headers[i]);
	return err ? err : got;
}

/* Between begin and end: all n, or until an error; *sent of them. */
static int leat__send_batch(struct leat__sock *s, struct mmsghdr *headers, size_t n, leat_ctx *ctx,
                            size_t *sent)
{
	int64_t delay = 0;
	size_t done = 0;
	int err = 0;

	while (!err && done < n) {
		int some = leat__os_sendmmsg(s->fd, headers + done, (unsigned)(n - done));

		if (some >= 0) {
			done += (size_t)some;
			delay = 0;
		} else if (some == -EAGAIN) {
			err = leat__record_wait(s, headers[done].msg_hdr.msg_name, ctx, &delay);
		} else {
			err = some;
		}
	}
	*sent += done;
	return err;
}

static int leat__write_batch(struct leat__sock *s, const leat_packet *packets, size_t n,
                             leat_ctx *ctx, size_t *sent)
{
	int err = leat__sock_begin(s, LEAT__POLL_WRITE, ctx);

	if (err)
		return err;
	while (!err && *sent < n) {
		size_t some = n - *sent < WRITE_MOST ? n - *sent : WRITE_MOST;
		struct mmsghdr *headers = prepare(packets + *sent, some, false);
		LEAT_DEFER(free, headers);

		err = headers ? leat__send_batch(s, headers, some, ctx, sent) : -ENOMEM;
	}
	leat__sock_end(s, LEAT__POLL_WRITE);
	return err;
}

int leat_packet_write_batch(leat_conn *c, const leat_packet *packets, int n, leat_any_ctx ctx,
                            size_t *written)
{
	struct leat__sock *s = datagrams_of(c);
	size_t sent = 0;
	int err = 0;

	if (n < 0)
		leat__panic_runtime("packet_write_batch: negative number of packets");
	if (written)
		*written = 0;
	if (!s)
		return -ENOTSUP;
	for (int i = 0; i < n && s->remote.bytes; i++)
		if (packets[i].addr.bytes)
			return -EISCONN;
	if (n)
		err = leat__write_batch(s, packets, (size_t)n, ctx.leat__ctx, &sent);
	if (written)
		*written = sent;
	return err;
}

/* --- making one */

/* A descriptor, or a negative errno code. */
static int open_packet(const struct leat__network *n, leat_addr *a, const leat_packet_opts *o)
{
	int fd = leat__network_socket_at(n, a), err = 0;

	if (fd < 0)
		return fd;
	if (o->reuse_port)
		err = leat__os_set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (!err)
		err = leat__os_bind(fd, &a->any, a->bytes);
	if (err)
		leat_close_fd(fd);
	return err ? err : fd;
}

leat_conn *leat_listen_packet(const char *network, const char *address,
                              const leat_packet_opts *opts, const leat_error **error)
{
	return leat_listen_packet_ctx(network, address, opts, (leat_any_ctx)(leat_ctx *)NULL, error);
}

leat_conn *leat_listen_packet_ctx(const char *network, const char *address,
                                  const leat_packet_opts *opts, leat_any_ctx ctx,
                                  const leat_error **error)
{
	static const leat_packet_opts none;
	const struct leat__network *n = leat__network_of(network);
	leat_conn *c = NULL;
	leat_addr a;
	int err = !n ? -EPROTONOSUPPORT : n->type != SOCK_DGRAM ? -EPROTOTYPE : 0, fd = err;

	if (!opts)
		opts = &none;
	if (!err && leat__listen_address(n, opts->resolver, address, ctx.leat__ctx, &a, error))
		return NULL;
	if (!err)
		fd = open_packet(n, &a, opts);
	err = fd < 0 ? fd : 0;
	if (!err)
		c = leat__conn_of_socket(fd, n->name, &err);
	if (c)
		leat__conn_sock(c)->file = leat__addr_is_path(&a) && !opts->keep_file;
	else if (fd >= 0)
		leat__network_abandon(fd, &a);
	if (!c && error)
		*error = leat__listen_error(network, address, err);
	return c;
}

/* --- errors */

const leat_error *leat_packet_error(leat_conn *c, const char *op, const leat_addr *other, int err)
{
	const char *what = NULL;
	leat_addr local;

	if (!err)
		return NULL;
	if (!other)
		return leat_conn_error(c, op, err);
	local = leat_conn_local(c);
	if (leat__conn_sock(c) && !leat__io_is_ours(err))
		what = strcmp(op, "read") == 0 ? "recvfrom" : strcmp(op, "write") == 0 ? "sendto" : op;
	return leat__op_error(op, leat_conn_network(c), &local, other, what, err);
}
