/* SPDX-License-Identifier: MIT */
/*
 * The system calls of digest: nothing here calls leat, and nothing elsewhere looks at errno.
 */
#include "digest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

int try_open(int at, const char *name, int flags)
{
	int fd = openat(at, name, flags | O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

int try_stat(int at, const char *name, struct stat *st, int flags)
{
	return fstatat(at, name, st, flags) < 0 ? -errno : 0;
}

int try_fstat(int fd, struct stat *st)
{
	return fstat(fd, st) < 0 ? -errno : 0;
}

int try_fdopendir(int fd, DIR **dir)
{
	int err;

	*dir = fdopendir(fd);
	if (*dir)
		return 0;
	err = -errno;
	close(fd);
	return err;
}

int try_readdir(DIR *dir, struct dirent **entry)
{
	errno = 0;
	*entry = readdir(dir);
	return *entry ? 0 : -errno;
}

int try_wait(int fd, short events, int wake)
{
	struct pollfd fds[] = {{.fd = fd, .events = events}, {.fd = wake, .events = POLLIN}};

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return -errno;
	return fds[0].revents ? 0 : -ECANCELED;
}

ssize_t try_read(int fd, void *to, size_t bytes)
{
	for (;;) {
		ssize_t n = read(fd, to, bytes);

		if (n >= 0 || errno != EINTR)
			return n < 0 ? -errno : n;
	}
}

ssize_t try_write(int fd, const void *from, size_t bytes)
{
	for (;;) {
		ssize_t n = write(fd, from, bytes);

		if (n >= 0 || errno != EINTR)
			return n < 0 ? -errno : n;
	}
}
