/* SPDX-License-Identifier: MIT */
/*
 * Open files: making, reading and writing of streams, and what is common to all kinds.
 *
 * A file is a socket (sock.h) as far as owning a descriptor, turns and deadlines go.  Those that are always ready have their
 * place there without being in the poller; what they wait for is disk.c's, or a plain call.
 */
#include "file/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

/* What a pipe has room for, at least, when it is said to have room. */
#define ROOM PIPE_BUF

const char leat__file_mark;

/* --- making */

/* What fd is; the file becomes its owner.  0, or a negative errno code. */
static int adopt(leat_file *f, int fd, bool ours)
{
	int flags = leat__os_flags(fd), err;
	struct stat s;

	if (flags < 0)
		return flags;
	err = leat__os_stat_fd(fd, &s);
	if (err)
		return err;
	f->append = flags & O_APPEND;
	f->kind = S_ISREG(s.st_mode) || S_ISBLK(s.st_mode) ? LEAT__FILE_DISK : LEAT__FILE_OTHER;
	if (f->kind == LEAT__FILE_DISK) {
		leat__disk_init(&f->disk, fd, flags, !ours);
		return leat__sock_open_unwatched(&f->sock, fd);
	}
	err = S_ISDIR(s.st_mode) ? -EPERM : leat__sock_open(&f->sock, fd, "file");
	if (err == -EPERM)
		return leat__sock_open_unwatched(&f->sock, fd);
	f->kind = LEAT__FILE_STREAM;
	f->blocking = !(flags & O_NONBLOCK) && (!ours || leat__os_set_nonblock(fd) != 0);
	return err;
}

/* Before the file is opened, which may make it. */
static leat_file *file_alloc(const char *name)
{
	size_t bytes = strlen(name) + 1;
	leat_file *f = calloc(1, sizeof *f + bytes);

	if (!f)
		return NULL;
	f->mark = &leat__file_mark;
	memcpy(f->name, name, bytes);
	return f;
}

/* f, or NULL, becomes that of fd, or of the error that this is.  ours: leat opened fd, and closes it where this fails. */
static leat_file *file_of(leat_file *f, int fd, bool ours, const char *op, const char *name,
                          const leat_error **error)
{
	int err = !f ? -ENOMEM : fd < 0 ? fd : adopt(f, fd, ours);

	if (!err)
		return f;
	leat__path_failed(op, name, err, error);
	if (ours && fd >= 0)
		leat__os_fd_close(fd);
	free(f);
	return NULL;
}

leat_file *leat_file_open(const char *path, int flags, unsigned mode, const leat_error **error)
{
	leat_file *f = file_alloc(path);
	int fd = f ? LEAT__ANNOUNCED(leat__os_open(path, flags, mode)) : -ENOMEM;

	return file_of(f, fd, true, "open", path, error);
}

leat_file *leat_file_create(const char *path, const leat_error **error)
{
	return leat_file_open(path, O_RDWR | O_CREAT | O_TRUNC, 0666, error);
}

leat_file *leat_file_from_fd(int fd, const char *name, const leat_error **error)
{
	return file_of(file_alloc(name), fd < 0 ? -EBADF : fd, false, "open", name, error);
}

bool leat_file_pipe(leat_file **reader, leat_file **writer, const leat_error **error)
{
	int fds[2], err = leat__os_pipe(fds, O_NONBLOCK);
	leat_file *r, *w;

	if (leat__path_failed("pipe", "|", err, error))
		return false;
	r = file_of(file_alloc("|0"), fds[0], true, "pipe", "|0", error);
	w = r ? file_of(file_alloc("|1"), fds[1], true, "pipe", "|1", error) : NULL;
	if (!r)
		leat__os_fd_close(fds[1]);
	if (!w) {
		leat_file_free(r);
		return false;
	}
	*reader = r;
	*writer = w;
	return true;
}

/* --- one operation */

static enum leat__poll_dir turn(const leat_file *f, enum leat__poll_dir dir)
{
	return f->kind == LEAT__FILE_DISK ? LEAT__POLL_READ : dir;
}

/* What a call on a stream says, that of a blocking one being made when it is ready. */
static ssize_t leat__stream_read(leat_file *f, void *to, size_t bytes)
{
	if (likely(!f->blocking))
		return leat__os_read_file(f->sock.fd, to, bytes, -1);
	if (leat__os_fd_ready(f->sock.fd, POLLIN) == 0)
		return -EAGAIN;
	return LEAT__ANNOUNCED(leat__os_read_file(f->sock.fd, to, bytes, -1));
}

static ssize_t leat__stream_write(leat_file *f, const char *from, size_t bytes)
{
	if (likely(!f->blocking))
		return leat__os_write_pipe(f->sock.fd, from, bytes);
	if (leat__os_fd_ready(f->sock.fd, POLLOUT) == 0)
		return -EAGAIN;
	return LEAT__ANNOUNCED(leat__os_write_pipe(f->sock.fd, from, bytes < ROOM ? bytes : ROOM));
}

static ssize_t leat__file_read(leat_file *f, void *to, size_t bytes, leat_ctx *ctx)
{
	ssize_t n = 0;
	int err;

	if (unlikely(!bytes))
		return leat__sock_read_nothing(&f->sock);
	err = leat__sock_begin(&f->sock, turn(f, LEAT__POLL_READ), ctx);
	if (unlikely(err))
		return err;
	if (f->kind == LEAT__FILE_DISK)
		n = leat__disk_read(&f->disk, to, bytes, -1);
	else if (f->kind == LEAT__FILE_OTHER)
		n = LEAT__ANNOUNCED(leat__os_read_file(f->sock.fd, to, bytes, -1));
	else
		while (!err && (n = leat__stream_read(f, to, bytes)) == -EAGAIN)
			err = leat__sock_wait(&f->sock, LEAT__POLL_READ, ctx);
	leat__sock_end(&f->sock, turn(f, LEAT__POLL_READ));
	return err ? err : n;
}

/* All of it, to a stream or what is OTHER. */
static int leat__file_write_plain(leat_file *f, const char *from, size_t bytes, leat_ctx *ctx,
                                  size_t *written)
{
	int err = 0;

	*written = 0;
	while (!err && *written < bytes) {
		ssize_t n = f->kind == LEAT__FILE_STREAM
		                ? leat__stream_write(f, from + *written, bytes - *written)
		                : LEAT__ANNOUNCED(leat__os_write_file(f->sock.fd, from + *written,
		                                                      bytes - *written, -1));

		if (n > 0)
			*written += (size_t)n;
		else if (n == -EAGAIN)
			err = leat__sock_wait(&f->sock, LEAT__POLL_WRITE, ctx);
		else
			err = n ? (int)n : -EIO;
	}
	return err;
}

static int leat__file_write(leat_file *f, const void *from, size_t bytes, leat_ctx *ctx,
                            size_t *written)
{
	int err = leat__sock_begin(&f->sock, turn(f, LEAT__POLL_WRITE), ctx);

	*written = 0;
	if (unlikely(err))
		return err;
	err = f->kind == LEAT__FILE_DISK ? leat__disk_write(&f->disk, from, bytes, -1, written)
	                                 : leat__file_write_plain(f, from, bytes, ctx, written);
	leat__sock_end(&f->sock, turn(f, LEAT__POLL_WRITE));
	return err;
}

/* --- reading and writing */

ssize_t leat_file_read_ctx(leat_file *f, void *to, size_t bytes, leat_any_ctx ctx)
{
	return leat__file_read(f, to, bytes, ctx.leat__ctx);
}

ssize_t leat_file_read(leat_file *f, void *to, size_t bytes)
{
	return leat__file_read(f, to, bytes, NULL);
}

int leat_file_read_full(leat_file *f, void *to, size_t bytes, leat_any_ctx ctx, size_t *done)
{
	size_t count = 0;
	ssize_t n = 1;

	while (n > 0 && count < bytes) {
		n = leat__file_read(f, (char *)to + count, bytes - count, ctx.leat__ctx);
		count += n > 0 ? (size_t)n : 0;
	}
	if (done)
		*done = count;
	if (n < 0)
		return (int)n;
	return count == bytes ? 0 : count ? -EPROTO : -ENODATA;
}

int leat_file_write_ctx(leat_file *f, const void *from, size_t bytes, leat_any_ctx ctx,
                        size_t *written)
{
	size_t unwanted;

	return leat__file_write(f, from, bytes, ctx.leat__ctx, written ? written : &unwanted);
}

int leat_file_write(leat_file *f, const void *from, size_t bytes, size_t *written)
{
	size_t unwanted;

	return leat__file_write(f, from, bytes, NULL, written ? written : &unwanted);
}

ssize_t leat_file_pread(leat_file *f, void *to, size_t bytes, int64_t offset)
{
	int err = offset < 0 ? -EINVAL : leat__sock_hold(&f->sock);
	ssize_t n;

	if (err)
		return err;
	/* A stream's says -ESPIPE, without waiting. */
	n = f->kind == LEAT__FILE_DISK
	        ? leat__disk_read(&f->disk, to, bytes, offset)
	        : LEAT__ANNOUNCED(leat__os_read_file(f->sock.fd, to, bytes, offset));
	leat__sock_let_go(&f->sock);
	return n;
}

int leat_file_pwrite(leat_file *f, const void *from, size_t bytes, int64_t offset, size_t *written)
{
	int err = offset < 0 || f->append ? -EINVAL : leat__sock_hold(&f->sock);
	size_t done = 0;

	if (!err) {
		if (f->kind == LEAT__FILE_DISK) {
			err = leat__disk_write(&f->disk, from, bytes, offset, &done);
		} else {
			ssize_t n = LEAT__ANNOUNCED(leat__os_write_file(f->sock.fd, from, bytes, offset));

			done = n > 0 ? (size_t)n : 0;
			err = n < 0 ? (int)n : done < bytes ? -EIO : 0;
		}
		leat__sock_let_go(&f->sock);
	}
	if (written)
		*written = done;
	return err;
}

int64_t leat_file_seek(leat_file *f, int64_t offset, int whence)
{
	int err = leat__sock_hold(&f->sock);
	int64_t at;

	if (err)
		return err;
	if (f->kind == LEAT__FILE_DISK)
		leat_mutex_lock(&f->sock.turns[LEAT__POLL_READ]);
	at = LEAT__ANNOUNCED(leat__os_seek(f->sock.fd, offset, whence));
	if (f->kind == LEAT__FILE_DISK)
		leat_mutex_unlock(&f->sock.turns[LEAT__POLL_READ]);
	leat__sock_let_go(&f->sock);
	return at;
}

/* --- other operations */

int leat_file_truncate(leat_file *f, int64_t bytes)
{
	int err = leat__sock_hold(&f->sock);

	if (err)
		return err;
	err = LEAT__ANNOUNCED(leat__os_truncate(f->sock.fd, bytes));
	leat__sock_let_go(&f->sock);
	return err;
}

int leat_file_chmod(leat_file *f, unsigned mode)
{
	int err = leat__sock_hold(&f->sock);

	if (err)
		return err;
	err = LEAT__ANNOUNCED(leat__os_chmod_fd(f->sock.fd, mode));
	leat__sock_let_go(&f->sock);
	return err;
}

static int leat__file_sync(leat_file *f, bool data_only)
{
	int err = leat__sock_hold(&f->sock);

	if (err)
		return err;
	err = f->kind == LEAT__FILE_DISK ? leat__disk_sync(&f->disk, data_only)
	                                 : LEAT__ANNOUNCED(leat__os_sync(f->sock.fd, data_only));
	leat__sock_let_go(&f->sock);
	return err;
}

int leat_file_sync(leat_file *f)
{
	return leat__file_sync(f, false);
}

int leat_file_sync_data(leat_file *f)
{
	return leat__file_sync(f, true);
}

int leat_file_stat(leat_file *f, struct stat *to)
{
	int err = leat__sock_hold(&f->sock);

	if (err)
		return err;
	err = LEAT__ANNOUNCED(leat__os_stat_fd(f->sock.fd, to));
	leat__sock_let_go(&f->sock);
	return err;
}

static int set_deadline(leat_file *f, enum leat__poll_dir dir, int64_t at_ns)
{
	if (load_acquire(&f->sock.closed))
		return -EBADF;
	return f->kind == LEAT__FILE_STREAM ? leat__sock_set_deadline(&f->sock, dir, at_ns) : -ENOTSUP;
}

int leat_file_set_deadline(leat_file *f, int64_t at_ns)
{
	return set_deadline(f, LEAT__POLL_EITHER, at_ns);
}

int leat_file_set_read_deadline(leat_file *f, int64_t at_ns)
{
	return set_deadline(f, LEAT__POLL_READ, at_ns);
}

int leat_file_set_write_deadline(leat_file *f, int64_t at_ns)
{
	return set_deadline(f, LEAT__POLL_WRITE, at_ns);
}

int leat_file_close(leat_file *f)
{
	return leat__sock_close(&f->sock);
}

void leat_file_free(leat_file *f)
{
	if (!f)
		return;
	leat__sock_close(&f->sock);
	free(f);
}

const char *leat_file_name(const leat_file *f)
{
	return f->name;
}

int leat_file_fd(leat_file *f)
{
	store_relaxed(&f->disk.shared, true); /* who knows what it does with it */
	return load_acquire(&f->sock.closed) ? -1 : f->sock.fd;
}
