/* SPDX-License-Identifier: MIT */
/*
 * The contract of file.h on Linux.  The C library's wrappers, as in socket.c.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "os/file.h"

#include "os/try.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

int leat__os_open(const char *path, int flags, unsigned mode)
{
	return TRY(open(path, flags | O_CLOEXEC, (mode_t)mode));
}

int leat__os_pipe(int fds[2], int flags)
{
	return TRY(pipe2(fds, O_CLOEXEC | flags));
}

int leat__os_flags(int fd)
{
	return TRY(fcntl(fd, F_GETFL));
}

int leat__os_set_nonblock(int fd)
{
	int flags = leat__os_flags(fd);

	return flags < 0 ? flags : TRY(fcntl(fd, F_SETFL, flags | O_NONBLOCK));
}

bool leat__os_reads_device(int flags)
{
	return flags & O_DIRECT;
}

bool leat__os_writes_device(int flags)
{
	return flags & (O_DIRECT | O_SYNC | O_DSYNC);
}

bool leat__os_appends(int flags)
{
	return flags & O_APPEND;
}

#ifdef RWF_NOWAIT

/* What kernels before 4.14, and C libraries that make do without the call, say. */
static ssize_t cannot(ssize_t n)
{
	return n == -ENOSYS || n == -EINVAL ? -EOPNOTSUPP : n;
}

ssize_t leat__os_read_now(int fd, void *to, size_t bytes, int64_t offset)
{
	struct iovec part = {to, bytes};

	return cannot(TRY(preadv2(fd, &part, 1, (off_t)offset, RWF_NOWAIT)));
}

ssize_t leat__os_write_now(int fd, const void *from, size_t bytes, int64_t offset)
{
	struct iovec part = {(void *)(uintptr_t)from, bytes};

	return cannot(TRY(pwritev2(fd, &part, 1, (off_t)offset, RWF_NOWAIT)));
}

#else

ssize_t leat__os_read_now(int fd, void *to, size_t bytes, int64_t offset)
{
	(void)fd, (void)to, (void)bytes, (void)offset;
	return -EOPNOTSUPP;
}

ssize_t leat__os_write_now(int fd, const void *from, size_t bytes, int64_t offset)
{
	(void)fd, (void)from, (void)bytes, (void)offset;
	return -EOPNOTSUPP;
}

#endif

ssize_t leat__os_read_file(int fd, void *to, size_t bytes, int64_t offset)
{
	return offset < 0 ? TRY(read(fd, to, bytes)) : TRY(pread(fd, to, bytes, (off_t)offset));
}

ssize_t leat__os_write_file(int fd, const void *from, size_t bytes, int64_t offset)
{
	return offset < 0 ? TRY(write(fd, from, bytes)) : TRY(pwrite(fd, from, bytes, (off_t)offset));
}

/* As leat__os_sendfile does. */
ssize_t leat__os_write_pipe(int fd, const void *from, size_t bytes)
{
	const struct timespec now = {0, 0};
	sigset_t pipe, before, pending;
	bool was_pending;
	ssize_t n;

	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	was_pending = sigismember(&before, SIGPIPE) == 1 && sigpending(&pending) == 0 &&
	              sigismember(&pending, SIGPIPE) == 1;
	n = TRY(write(fd, from, bytes));
	if (n == -EPIPE && !was_pending)
		TRY(sigtimedwait(&pipe, NULL, &now));
	if (sigismember(&before, SIGPIPE) == 0)
		pthread_sigmask(SIG_UNBLOCK, &pipe, NULL);
	return n;
}

ssize_t leat__os_copy_range(int from, int to, size_t bytes)
{
	return TRY(copy_file_range(from, NULL, to, NULL, bytes, 0));
}

int64_t leat__os_seek(int fd, int64_t offset, int whence)
{
	return TRY(lseek(fd, (off_t)offset, whence));
}

int leat__os_truncate(int fd, int64_t bytes)
{
	return TRY(ftruncate(fd, (off_t)bytes));
}

int leat__os_sync(int fd, bool data_only)
{
	return data_only ? TRY(fdatasync(fd)) : TRY(fsync(fd));
}

int leat__os_stat_fd(int fd, struct stat *to)
{
	return TRY(fstat(fd, to));
}

int leat__os_chmod_fd(int fd, unsigned mode)
{
	return TRY(fchmod(fd, (mode_t)mode));
}

int leat__os_stat(const char *path, bool follow, struct stat *to)
{
	return follow ? TRY(stat(path, to)) : TRY(lstat(path, to));
}

int leat__os_mkdir(const char *path, unsigned mode)
{
	return TRY(mkdir(path, (mode_t)mode));
}

int leat__os_rename(const char *from, const char *to)
{
	return TRY(rename(from, to));
}

int leat__os_chmod(const char *path, unsigned mode)
{
	return TRY(chmod(path, (mode_t)mode));
}

int leat__os_link(const char *from, const char *to)
{
	return TRY(link(from, to));
}

int leat__os_symlink(const char *target, const char *path)
{
	return TRY(symlink(target, path));
}

ssize_t leat__os_readlink(const char *path, char *to, size_t bytes)
{
	return TRY(readlink(path, to, bytes));
}

int leat__os_truncate_path(const char *path, int64_t bytes)
{
	return TRY(truncate(path, (off_t)bytes));
}

int leat__os_set_times(const char *path, const struct timespec *accessed,
                       const struct timespec *modified)
{
	const struct timespec stays = {.tv_nsec = UTIME_OMIT};
	const struct timespec times[2] = {accessed ? *accessed : stays, modified ? *modified : stays};

	return TRY(utimensat(AT_FDCWD, path, times, 0));
}

/* --- directories */

static DIR *dir_of(struct leat__os_dir *dir)
{
	return (DIR *)(void *)dir;
}

static int at(struct leat__os_dir *dir)
{
	return dir ? dirfd(dir_of(dir)) : AT_FDCWD;
}

int leat__os_dir_open(struct leat__os_dir *in, const char *name, bool follow,
                      struct leat__os_dir **dir)
{
	int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW);
	int fd = TRY(openat(at(in), name, flags)), saved = errno, err;
	DIR *d;

	if (fd < 0)
		return fd;
	d = fdopendir(fd);
	if (!d) {
		err = -errno;
		close(fd);
		errno = saved;
		return err;
	}
	*dir = (struct leat__os_dir *)(void *)d;
	return 0;
}

static unsigned type_of(struct leat__os_dir *dir, const struct dirent *e)
{
	struct stat s;

	if (e->d_type != DT_UNKNOWN)
		return DTTOIF(e->d_type);
	/* The file system does not say; if it has gone by now, it is something. */
	return fstatat(at(dir), e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 ? s.st_mode & S_IFMT : S_IFREG;
}

int leat__os_dir_next(struct leat__os_dir *dir, const char **name, unsigned *type)
{
	const struct dirent *e;
	int saved = errno, err;

	do {
		errno = 0;
		e = readdir(dir_of(dir));
	} while (e && (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0));
	err = e ? 1 : -errno;
	if (e) {
		*name = e->d_name;
		*type = type_of(dir, e);
	}
	errno = saved;
	return err;
}

void leat__os_dir_again(struct leat__os_dir *dir)
{
	rewinddir(dir_of(dir));
}

void leat__os_dir_close(struct leat__os_dir *dir)
{
	int saved = errno;

	closedir(dir_of(dir));
	errno = saved;
}

int leat__os_remove(struct leat__os_dir *in, const char *name, bool folder)
{
	return TRY(unlinkat(at(in), name, folder ? AT_REMOVEDIR : 0));
}
