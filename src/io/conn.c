/* SPDX-License-Identifier: MIT */
/*
 * Connections: what is the same for all kinds, and the kind that is a socket.  Those go past the table of the kind, for
 * reading and writing are what a server does all day.
 */
#include "io/network.h"
#include "io/sock.h"

#include "sched/panic.h"

#include <leat/defer.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define COPY_BYTES (size_t)(16 << 10)

struct sock_conn {
	leat_conn conn;
	struct leat__sock sock;
};

static const leat_conn_ops sock_ops;

static struct leat__sock *sock_of(leat_conn *c)
{
	return &container_of(c, struct sock_conn, conn)->sock;
}

struct leat__sock *leat__conn_sock(leat_conn *c)
{
	return c->ops == &sock_ops ? sock_of(c) : NULL;
}

/* --- sockets */

static ssize_t leat__sock_conn_read(leat_conn *c, void *to, size_t bytes, leat_ctx *ctx)
{
	struct leat__sock *s = sock_of(c);

	if (unlikely(!bytes))
		return leat__sock_read_nothing(s);
	if (unlikely(s->records))
		return leat__record_read(s, to, bytes, NULL, ctx);
	return leat__sock_read(s, to, bytes, ctx);
}

static int leat__sock_writev(leat_conn *c, const struct iovec *parts, int n, leat_ctx *ctx,
                             size_t *written)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)(uintptr_t)parts, .msg_iovlen = (size_t)n};

	return leat__sock_send_all(sock_of(c), &msg, ctx, written);
}

static int leat__sock_write(struct leat__sock *s, const char *from, size_t bytes, leat_ctx *ctx,
                            size_t *written)
{
	int err;

	if (unlikely(s->records))
		return leat__record_write(s, from, bytes, NULL, ctx, written);
	err = leat__sock_begin(s, LEAT__POLL_WRITE, ctx);
	*written = 0;
	if (err)
		return err;
	while (!err && *written < bytes) {
		ssize_t n = leat__os_send(s->fd, from + *written, bytes - *written);

		if (n >= 0)
			*written += (size_t)n;
		else
			err = n == -EAGAIN ? leat__sock_wait(s, LEAT__POLL_WRITE, ctx)
			                   : (int)leat__sock_said(s, n);
	}
	leat__sock_end(s, LEAT__POLL_WRITE);
	return err;
}

static int leat__sock_deadline(leat_conn *c, enum leat_conn_side sides, int64_t at_ns)
{
	return leat__sock_set_deadline(sock_of(c),
	                               sides == LEAT_CONN_READ    ? LEAT__POLL_READ
	                               : sides == LEAT_CONN_WRITE ? LEAT__POLL_WRITE
	                                                          : LEAT__POLL_EITHER,
	                               at_ns);
}

static int shut(int fd, void *side)
{
	return leat__os_shutdown(fd,
	                         *(enum leat_conn_side *)side == LEAT_CONN_READ ? SHUT_RD : SHUT_WR);
}

static int leat__sock_shut(leat_conn *c, enum leat_conn_side sides)
{
	struct leat__sock *s = sock_of(c);

	bool before = true;
	int err;

	if (s->datagrams && s->local.any.sa_family != AF_UNIX)
		return -ENOTSUP; /* UDP tells nobody */
	if (sides == LEAT_CONN_READ)
		before = atomic_exchange_explicit(&s->shut_read, true, memory_order_relaxed);
	err = leat__sock_with(s, shut, &sides);
	if (err && !before)
		store_relaxed(&s->shut_read, false);
	return err;
}

/* Where the kernel cannot send such a file itself, *written is 0 and the result -EINVAL. */
static int leat__sock_sendfile(leat_conn *c, int fd, int64_t offset, size_t bytes, leat_ctx *ctx,
                               size_t *written)
{
	struct leat__sock *s = sock_of(c);
	ssize_t n = 1;
	int err;

	*written = 0;
	if (s->records)
		return -ENOTSUP; /* the kernel would make records of pages */
	err = leat__sock_begin(s, LEAT__POLL_WRITE, ctx);
	if (err)
		return err;
	while (!err && n && *written < bytes) {
		n = leat__os_sendfile(s->fd, fd, &offset, bytes - *written);
		if (n >= 0)
			*written += (size_t)n;
		else
			err = n == -EAGAIN ? leat__sock_wait(s, LEAT__POLL_WRITE, ctx)
			                   : (int)leat__sock_said(s, n);
	}
	leat__sock_end(s, LEAT__POLL_WRITE);
	return err;
}

static int leat__sock_conn_close(leat_conn *c)
{
	return leat__sock_close(sock_of(c));
}

static void sock_free(leat_conn *c)
{
	free(container_of(c, struct sock_conn, conn));
}

static leat_addr leat__sock_conn_local(leat_conn *c)
{
	return sock_of(c)->local;
}

static leat_addr leat__sock_conn_remote(leat_conn *c)
{
	return sock_of(c)->remote;
}

static int sock_fd(leat_conn *c)
{
	struct leat__sock *s = sock_of(c);

	store_relaxed(&s->stream, false); /* who knows what it does with it */
	return load_acquire(&s->closed) ? -EBADF : s->fd;
}

static const leat_conn_ops sock_ops = {
    .network = "tcp",
    .read = leat__sock_conn_read,
    .write = leat__sock_writev,
    .sendfile = leat__sock_sendfile,
    .set_deadline = leat__sock_deadline,
    .shut = leat__sock_shut,
    .close = leat__sock_conn_close,
    .free = sock_free,
    .local = leat__sock_conn_local,
    .remote = leat__sock_conn_remote,
    .fd = sock_fd,
};

static bool is_tcp(int fd, const leat_addr *local)
{
	int protocol;

	if (local->any.sa_family != AF_INET && local->any.sa_family != AF_INET6)
		return false;
	return leat__os_get_option(fd, SOL_SOCKET, SO_PROTOCOL, &protocol) == 0 &&
	       protocol == IPPROTO_TCP;
}

leat_conn *leat__conn_of_socket(int fd, const char *network, int *err)
{
	const struct leat__network *n = leat__network_of(network);
	struct sock_conn *c = calloc(1, sizeof *c);

	*err = c ? leat__sock_open(&c->sock, fd, network) : -ENOMEM;
	if (*err) {
		free(c);
		return NULL;
	}
	c->conn.ops = &sock_ops;
	leat__sock_addresses(&c->sock);
	c->sock.records = n->type != SOCK_STREAM;
	c->sock.datagrams = n->type == SOCK_DGRAM;
	store_relaxed(&c->sock.stream, is_tcp(fd, &c->sock.local));
	return &c->conn;
}

/* --- all kinds */

ssize_t leat_conn_read(leat_conn *c, void *to, size_t bytes)
{
	return leat_conn_read_ctx(c, to, bytes, (leat_any_ctx)(leat_ctx *)NULL);
}

ssize_t leat_conn_read_ctx(leat_conn *c, void *to, size_t bytes, leat_any_ctx ctx)
{
	if (likely(c->ops == &sock_ops))
		return leat__sock_conn_read(c, to, bytes, ctx.leat__ctx);
	return c->ops->read(c, to, bytes, ctx.leat__ctx);
}

int leat_conn_read_full(leat_conn *c, void *to, size_t bytes, leat_any_ctx ctx, size_t *done)
{
	size_t count = 0;
	ssize_t n = 1;

	while (n > 0 && count < bytes) {
		n = c->ops->read(c, (char *)to + count, bytes - count, ctx.leat__ctx);
		count += n > 0 ? (size_t)n : 0;
	}
	if (done)
		*done = count;
	if (n < 0)
		return (int)n;
	return count == bytes ? 0 : count ? -EPROTO : -ENODATA;
}

int leat_conn_write_ctx(leat_conn *c, const void *from, size_t bytes, leat_any_ctx ctx,
                        size_t *written)
{
	struct leat__sock *s = leat__conn_sock(c);
	size_t unwanted;

	if (!written)
		written = &unwanted;
	if (likely(s != NULL))
		return leat__sock_write(s, from, bytes, ctx.leat__ctx, written);
	return c->ops->write(c, &(struct iovec){(void *)(uintptr_t)from, bytes}, 1, ctx.leat__ctx,
	                     written);
}

int leat_conn_write(leat_conn *c, const void *from, size_t bytes, size_t *written)
{
	return leat_conn_write_ctx(c, from, bytes, (leat_any_ctx)(leat_ctx *)NULL, written);
}

int leat_conn_writev(leat_conn *c, const struct iovec *parts, int n, leat_any_ctx ctx,
                     size_t *written)
{
	size_t unwanted;

	if (n < 0)
		leat__panic_runtime("conn_writev: negative number of pieces");
	return c->ops->write(c, parts, n, ctx.leat__ctx, written ? written : &unwanted);
}

/* Through memory of the program's, for kinds that cannot do otherwise. */
static int leat__conn_copy(leat_conn *c, int fd, int64_t offset, size_t bytes, leat_ctx *ctx,
                           size_t *written)
{
	char *buffer = malloc(COPY_BYTES);
	int err = buffer ? 0 : -ENOMEM;
	size_t done = 0;
	LEAT_DEFER(free, buffer); /* a kind's write may panic */

	while (!err && done < bytes) {
		size_t part = bytes - done < COPY_BYTES ? bytes - done : COPY_BYTES;
		ssize_t n = leat__os_read_at(fd, buffer, part, offset + (int64_t)done);

		if (n <= 0) {
			err = (int)n;
			break;
		}
		err = c->ops->write(c, &(struct iovec){buffer, (size_t)n}, 1, ctx, &part);
		done += part;
	}
	*written = done;
	return err;
}

int leat_conn_sendfile(leat_conn *c, int fd, int64_t offset, size_t bytes, leat_any_ctx ctx,
                       size_t *written)
{
	size_t unwanted, part = 0;
	int err = -EINVAL;

	if (!written)
		written = &unwanted;
	*written = 0;
	if (offset < 0)
		return err;
	if (c->ops->sendfile)
		err = c->ops->sendfile(c, fd, offset, bytes, ctx.leat__ctx, written);
	if (err != -EINVAL && err != -ENOTSUP)
		return err;
	err =
	    leat__conn_copy(c, fd, offset + (int64_t)*written, bytes - *written, ctx.leat__ctx, &part);
	*written += part;
	return err;
}

static int set_deadline(leat_conn *c, enum leat_conn_side sides, int64_t at_ns)
{
	return c->ops->set_deadline ? c->ops->set_deadline(c, sides, at_ns) : -ENOTSUP;
}

int leat_conn_set_deadline(leat_conn *c, int64_t at_ns)
{
	return set_deadline(c, LEAT_CONN_READ | LEAT_CONN_WRITE, at_ns);
}

int leat_conn_set_read_deadline(leat_conn *c, int64_t at_ns)
{
	return set_deadline(c, LEAT_CONN_READ, at_ns);
}

int leat_conn_set_write_deadline(leat_conn *c, int64_t at_ns)
{
	return set_deadline(c, LEAT_CONN_WRITE, at_ns);
}

int leat_conn_close_write(leat_conn *c)
{
	return c->ops->shut ? c->ops->shut(c, LEAT_CONN_WRITE) : -ENOTSUP;
}

int leat_conn_close_read(leat_conn *c)
{
	return c->ops->shut ? c->ops->shut(c, LEAT_CONN_READ) : -ENOTSUP;
}

int leat_conn_close(leat_conn *c)
{
	return c->ops->close(c);
}

void leat_conn_free(leat_conn *c)
{
	if (!c)
		return;
	c->ops->close(c);
	c->ops->free(c);
}

leat_addr leat_conn_local(leat_conn *c)
{
	return c->ops->local ? c->ops->local(c) : (leat_addr){0};
}

leat_addr leat_conn_remote(leat_conn *c)
{
	return c->ops->remote ? c->ops->remote(c) : (leat_addr){0};
}

const char *leat_conn_network(const leat_conn *c)
{
	struct leat__sock *s = leat__conn_sock((leat_conn *)(uintptr_t)c);

	return s ? s->network : c->ops->network;
}

int leat_conn_fd(leat_conn *c)
{
	int fd = c->ops->fd ? c->ops->fd(c) : -1;

	return fd < 0 ? -1 : fd;
}
