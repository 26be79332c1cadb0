/* SPDX-License-Identifier: MIT */
/*
 * Reading and writing whole files.  What is written appears under its name when it is complete: until then it has
 * another, in the same folder.
 */
#define _GNU_SOURCE
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const leat_error *because(int error)
{
	return leat_error_errno(-error);
}

static const leat_error *read_all(int fd, unsigned char *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = read(fd, bytes + done, length - done);

		if (n < 0 && errno != EINTR)
			return because(errno);
		if (n == 0)
			return leat_errorf(NULL, "it became shorter while it was read");
		done += n > 0 ? (size_t)n : 0;
	}
	return NULL;
}

const leat_error *file_read(const char *name, size_t most, unsigned char **bytes, size_t *length)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const leat_error *e = NULL;
	struct stat st;

	*bytes = NULL;
	if (fd < 0)
		return because(errno);
	if (fstat(fd, &st) != 0)
		e = because(errno);
	else if (!S_ISREG(st.st_mode))
		e = S_ISDIR(st.st_mode) ? because(EISDIR) : leat_errorf(NULL, "not a regular file");
	else if ((uint64_t)st.st_size > most)
		e = because(EFBIG);
	if (!e) {
		*length = (size_t)st.st_size;
		*bytes = malloc(*length + 1);
		e = *bytes ? read_all(fd, *bytes, *length) : &leat_out_of_memory;
	}
	close(fd);
	if (e) {
		free(*bytes);
		*bytes = NULL;
	}
	return e;
}

static int write_all(int fd, const unsigned char *bytes, size_t length)
{
	for (size_t done = 0; done < length;) {
		ssize_t n = write(fd, bytes + done, length - done);

		if (n < 0 && errno != EINTR)
			return errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static bool same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	return stat(a, &sa) == 0 && stat(b, &sb) == 0 && sa.st_dev == sb.st_dev &&
	       sa.st_ino == sb.st_ino;
}

const leat_error *file_write(const char *folder, const char *name, const char *source,
                             const unsigned char *bytes, size_t length)
{
	char path[4096], part[4096 + 32];
	int fd, error = 0;

	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path)
		return because(ENAMETOOLONG);
	if (same_file(path, source))
		return leat_errorf(NULL, "it would be its own thumbnail: %s is the same file", path);
	snprintf(part, sizeof part, "%s/.thumb-XXXXXX", folder);
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0)
		return leat_errorf(because(errno), "cannot make a file in %s", folder);
	error = write_all(fd, bytes, length);
	if (!error && fchmod(fd, 0644) != 0)
		error = errno;
	if (close(fd) != 0 && !error)
		error = errno;
	if (!error && rename(part, path) != 0)
		error = errno;
	if (!error)
		return NULL;
	unlink(part);
	return leat_errorf(because(error), "cannot write %s", path);
}
