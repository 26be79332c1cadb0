/* SPDX-License-Identifier: MIT */
/*
 * Copying by way of the kernel.
 *
 * All three calls move the positions of regular files themselves, so each is made in the turn of the file, which is held for the
 * call alone: who waits for a socket keeps nobody from the file.  Two files' turns are taken in the order of their addresses, and
 * a file's after a socket's; nobody who has a file's turn waits for a socket's.
 *
 * What the kernel cannot do, for these files or at all, fails before anything has moved.  Whatever copy_file_range says against
 * it, the buffer tries, and meets what is really wrong; 0 at once it says of files of /proc, which have no size.
 *
 * splice goes through a pipe of our own.  It is empty whenever the source is read, so EAGAIN speaks of the source; what has come
 * into it is written before more is read.
 */
#include "stream/copy.h"

#include "sched/scheduler.h"

#include <leat/defer.h>

#include <errno.h>
#include <fcntl.h>

#define RANGE_BYTES ((size_t)64 << 20) /* at once: contexts are looked at in between */
#define SEND_BYTES  ((size_t)1 << 30)
#define PIPE_BYTES  ((size_t)64 << 10) /* a pipe has room for, if it is well filled */

/* A stream's; NULL: what is written to is none. */
static struct leat__sock *stream_of(leat_conn *c)
{
	struct leat__sock *s = c ? leat__conn_sock(c) : NULL;

	return s && !s->records ? s : NULL;
}

/* It can be written to at its position. */
static bool is_disk(const leat_file *f)
{
	return f && f->kind == LEAT__FILE_DISK && !f->append;
}

/* The kernel goes past a writer. */
static int leat__copy_flush(struct leat__copying *c)
{
	return c->writer ? leat_writer_flush(c->writer) : 0;
}

static int failed(struct leat__copying *c, int err)
{
	if (c->writer)
		leat__writer_fail(c->writer, err);
	return err;
}

/* --- a regular file to another */

/* No context ends a wait for a file's turn: those who have it do not wait for long. */
static int leat__copy_file_begin(leat_file *f)
{
	return leat__sock_begin(&f->sock, LEAT__POLL_READ, NULL);
}

static void leat__copy_file_end(leat_file *f)
{
	leat__sock_end(&f->sock, LEAT__POLL_READ);
}

static ssize_t leat__copy_some_range(leat_file *in, leat_file *out, size_t bytes)
{
	leat_file *first = in < out ? in : out, *second = in < out ? out : in;
	ssize_t n = leat__copy_file_begin(first);

	if (n)
		return n;
	n = leat__copy_file_begin(second);
	if (!n) {
		n = LEAT__ANNOUNCED(leat__os_copy_range(in->sock.fd, out->sock.fd, bytes));
		leat__copy_file_end(second);
	}
	leat__copy_file_end(first);
	return n;
}

static int leat__copy_range(struct leat__copying *c)
{
	bool any = false;

	while (c->left) {
		ssize_t n;
		int err = leat_ctx_err((leat_any_ctx)c->in_ctx);

		if (err)
			return leat__copy_reading(c, err);
		err = leat_ctx_err((leat_any_ctx)c->out_ctx);
		if (err)
			return err;
		n = leat__copy_some_range(c->in_file, c->out_file, leat__copy_part(c, RANGE_BYTES));
		if (n < 0 || (!n && !any))
			return LEAT__COPY_ON;
		if (!n)
			return LEAT__COPY_END;
		leat__copy_count(c, (size_t)n);
		any = true;
	}
	return LEAT__COPY_ON;
}

/* --- a regular file to a socket */

static ssize_t leat__copy_send_some(struct leat__copying *c, struct leat__sock *s)
{
	ssize_t n = leat__copy_file_begin(c->in_file);

	if (n)
		return n;
	n = leat__sock_said(
	    s, leat__os_sendfile(s->fd, c->in_file->sock.fd, NULL, leat__copy_part(c, SEND_BYTES)));
	leat__copy_file_end(c->in_file);
	return n;
}

/* What the kernel says of files that it cannot send or read, or of what is closed: the buffer finds out which. */
static bool is_of_file(ssize_t err)
{
	return err == -EINVAL || err == -ENOSYS || err == -EOPNOTSUPP || err == -EIO ||
	       err == -EOVERFLOW || err == -EBADF;
}

static int leat__copy_send(struct leat__copying *c, struct leat__sock *s)
{
	int err = leat__sock_begin(s, LEAT__POLL_WRITE, c->out_ctx);
	ssize_t n = 1;

	if (err)
		return failed(c, err);
	while (!err && c->left && n) {
		n = leat__copy_send_some(c, s);
		if (n > 0)
			leat__copy_count(c, (size_t)n);
		else if (n == -EAGAIN)
			err = leat__sock_wait(s, LEAT__POLL_WRITE, c->out_ctx);
		else if (n < 0)
			err = (int)n;
	}
	leat__sock_end(s, LEAT__POLL_WRITE);
	if (is_of_file(err))
		return LEAT__COPY_ON;
	if (err)
		return failed(c, err);
	return n ? LEAT__COPY_ON : LEAT__COPY_END;
}

int leat__copy_of_file(struct leat__copying *c)
{
	struct leat__sock *s = stream_of(c->out_conn);
	bool range = is_disk(c->out_file) && c->out_file != c->in_file;
	int err = range || s ? leat__copy_flush(c) : 0;

	if (err)
		return err;
	return range ? leat__copy_range(c) : s ? leat__copy_send(c, s) : LEAT__COPY_ON;
}

/* --- a socket to another, or to a regular file */

bool leat__copy_splices(const struct leat__copying *c)
{
	return stream_of(c->in_conn) && (stream_of(c->out_conn) || is_disk(c->out_file));
}

struct splicing {
	int fds[2]; /* the pipe */
	size_t held;
};

static void close_pipe(struct splicing *p)
{
	leat__os_fd_close(p->fds[0]);
	leat__os_fd_close(p->fds[1]);
}

static ssize_t leat__splice_in(struct leat__copying *c, struct splicing *p)
{
	struct leat__sock *s = stream_of(c->in_conn);
	int err = leat__sock_begin(s, LEAT__POLL_READ, c->in_ctx);
	ssize_t n = 0;

	if (err)
		return err;
	while (!err && !leat__sock_at_end(s) &&
	       (n = leat__sock_said(
	            s, leat__os_splice(s->fd, p->fds[1], leat__copy_part(c, PIPE_BYTES)))) == -EAGAIN)
		err = leat__sock_wait(s, LEAT__POLL_READ, c->in_ctx);
	if (n == -EAGAIN) /* at the end since it waited */
		n = 0;
	s->drained = false;
	leat__sock_end(s, LEAT__POLL_READ);
	return err ? err : n;
}

static int leat__splice_out_some(struct leat__copying *c, struct splicing *p, int fd)
{
	ssize_t n = leat__os_splice(p->fds[0], fd, p->held);

	if (n <= 0)
		return n ? (int)n : -EIO;
	p->held -= (size_t)n;
	leat__copy_count(c, (size_t)n);
	return 0;
}

static int leat__splice_to_file(struct leat__copying *c, struct splicing *p)
{
	int err = leat__copy_file_begin(c->out_file);

	if (err)
		return err;
	while (!err && p->held)
		err = LEAT__ANNOUNCED(leat__splice_out_some(c, p, c->out_file->sock.fd));
	leat__copy_file_end(c->out_file);
	return err;
}

static int leat__splice_to_socket(struct leat__copying *c, struct splicing *p)
{
	struct leat__sock *s = stream_of(c->out_conn);
	int err = leat__sock_begin(s, LEAT__POLL_WRITE, c->out_ctx);

	if (err)
		return err;
	while (!err && p->held) {
		err = (int)leat__sock_said(s, leat__splice_out_some(c, p, s->fd));
		if (err == -EAGAIN)
			err = leat__sock_wait(s, LEAT__POLL_WRITE, c->out_ctx);
	}
	leat__sock_end(s, LEAT__POLL_WRITE);
	return err;
}

/* What the pipe holds, where the kernel does not write it: ON, the buffer has written it and goes on; or an error. */
static int leat__splice_give_up(struct leat__copying *c, struct splicing *p, char *buffer,
                                size_t room)
{
	int err = 0;

	while (!err && p->held) {
		ssize_t n = leat__os_read(p->fds[0], buffer, p->held < room ? p->held : room);

		if (n <= 0)
			return n ? (int)n : -EIO;
		p->held -= (size_t)n;
		err = leat__copy_put(c, buffer, (size_t)n);
	}
	return err;
}

static int leat__splice_all(struct leat__copying *c, struct splicing *p, char *buffer, size_t room)
{
	while (c->left) {
		ssize_t n = leat__splice_in(c, p);
		int err;

		if (n == -EINVAL)
			return LEAT__COPY_ON;
		if (n <= 0)
			return n ? leat__copy_reading(c, (int)n) : LEAT__COPY_END;
		p->held = (size_t)n;
		err = c->out_file ? leat__splice_to_file(c, p) : leat__splice_to_socket(c, p);
		if (err == -EINVAL)
			return leat__splice_give_up(c, p, buffer, room);
		if (err)
			return failed(c, err);
	}
	return LEAT__COPY_ON;
}

int leat__copy_splice(struct leat__copying *c, char *buffer, size_t room)
{
	struct splicing p = {0};
	int err = leat__copy_flush(c);

	if (err)
		return err;
	if (leat__os_pipe(p.fds, O_NONBLOCK))
		return LEAT__COPY_ON;
	LEAT_DEFER(close_pipe, &p);
	return leat__splice_all(c, &p, buffer, room);
}
