/* SPDX-License-Identifier: MIT */
/*
 * Connections that are one end of a pipe of the system's: a socket (io/sock.h) as far as waiting, turns, deadlines and
 * closing go, but for the calls that read and write, and with one direction alone.
 */
#include "io/fifo.h"

#include "os/process.h"

#include <errno.h>
#include <stdlib.h>

#define IOV_LOCAL 16 /* pieces at a time: goroutines may have small stacks */

struct fifo {
	leat_conn conn;
	struct leat__sock sock;
	bool reads, writes;
};

static struct fifo *fifo_of(leat_conn *c)
{
	return container_of(c, struct fifo, conn);
}

static ssize_t leat__fifo_read(leat_conn *c, void *to, size_t bytes, leat_ctx *ctx)
{
	struct fifo *f = fifo_of(c);

	if (!f->reads)
		return -ENOTSUP;
	return bytes ? leat__sock_read(&f->sock, to, bytes, ctx) : leat__sock_read_nothing(&f->sock);
}

/* n pieces, the caller's to change, all of them; whose turn it is. */
static int leat__fifo_write_pieces(struct leat__sock *s, struct iovec *parts, int n, leat_ctx *ctx,
                                   size_t *written)
{
	while (n) {
		ssize_t done;
		int err = 0;

		if (!parts->iov_len) {
			parts++;
			n--;
			continue;
		}
		while (!err && (done = leat__os_writev(s->fd, parts, n)) == -EAGAIN)
			err = leat__sock_wait(s, LEAT__POLL_WRITE, ctx);
		if (err || done < 0)
			return err ? err : (int)done;
		*written += (size_t)done;
		for (; n && (size_t)done >= parts->iov_len; parts++, n--)
			done -= (ssize_t)parts->iov_len;
		if (n) {
			parts->iov_base = (char *)parts->iov_base + done;
			parts->iov_len -= (size_t)done;
		}
	}
	return 0;
}

static int leat__fifo_write(leat_conn *c, const struct iovec *parts, int n, leat_ctx *ctx,
                            size_t *written)
{
	struct fifo *f = fifo_of(c);
	struct iovec some[IOV_LOCAL];
	int err;

	*written = 0;
	if (!f->writes)
		return -ENOTSUP;
	err = leat__sock_begin(&f->sock, LEAT__POLL_WRITE, ctx);
	if (err)
		return err;
	for (int from = 0; from < n && !err; from += IOV_LOCAL) {
		int count = n - from < IOV_LOCAL ? n - from : IOV_LOCAL;

		for (int i = 0; i < count; i++)
			some[i] = parts[from + i];
		err = leat__fifo_write_pieces(&f->sock, some, count, ctx, written);
	}
	leat__sock_end(&f->sock, LEAT__POLL_WRITE);
	return err;
}

static int leat__fifo_deadline(leat_conn *c, enum leat_conn_side sides, int64_t at_ns)
{
	return leat__sock_set_deadline(&fifo_of(c)->sock,
	                               sides == LEAT_CONN_READ    ? LEAT__POLL_READ
	                               : sides == LEAT_CONN_WRITE ? LEAT__POLL_WRITE
	                                                          : LEAT__POLL_EITHER,
	                               at_ns);
}

static int leat__fifo_close(leat_conn *c)
{
	return leat__sock_close(&fifo_of(c)->sock);
}

static void fifo_free(leat_conn *c)
{
	free(fifo_of(c));
}

static int fifo_fd(leat_conn *c)
{
	struct leat__sock *s = &fifo_of(c)->sock;

	return load_acquire(&s->closed) ? -EBADF : s->fd;
}

static const leat_conn_ops fifo_ops = {
    .network = "pipe",
    .read = leat__fifo_read,
    .write = leat__fifo_write,
    .set_deadline = leat__fifo_deadline,
    .close = leat__fifo_close,
    .free = fifo_free,
    .fd = fifo_fd,
};

leat_conn *leat__conn_of_pipe(int fd, int *err)
{
	struct fifo *f = calloc(1, sizeof *f);
	int is = -ENOMEM;

	if (f)
		is = leat__os_is_pipe(fd, &f->reads, &f->writes);
	*err = is == 0 ? -ENOTSOCK : is < 0 ? is : leat__os_fd_adopt(fd);
	if (!*err)
		*err = leat__sock_open(&f->sock, fd, fifo_ops.network);
	if (*err) {
		free(f);
		return NULL;
	}
	f->conn.ops = &fifo_ops;
	return &f->conn;
}
