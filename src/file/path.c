/* SPDX-License-Identifier: MIT */
/* Whole files, and what one system call does with a name. */
#include "file/file.h"

#include <leat/defer.h>
#include <leat/path.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST        512         /* to read at once where nobody says how much there is */
#define LINK_BYTES   (size_t)128 /* most are shorter */
#define BESIDE_BYTES 11          /* a dot and the largest number */

/* --- reading */

/* All that is in d, to memory that is *bytes long in the end. */
static int leat__read_whole(struct leat__disk *d, size_t room, char **to, size_t *bytes)
{
	char *memory = NULL, *larger;
	size_t total = 0, done;
	int err;

	for (;; room *= 2) {
		larger = realloc(memory, room + 1);
		if (!larger) {
			free(memory);
			return -ENOMEM;
		}
		memory = larger;
		err = leat__disk_read_all(d, memory + total, room - total, (int64_t)total, &done);
		total += done;
		if (err) {
			free(memory);
			return err;
		}
		if (total < room)
			break;
	}
	memory[total] = '\0';
	*to = memory;
	*bytes = total;
	return 0;
}

/* The same from what has no positions. */
static int leat__read_stream(leat_file *f, char **to, size_t *bytes)
{
	char *memory = NULL, *larger;
	size_t total = 0, room = 0;
	ssize_t n;

	do {
		if (room - total < LEAST) {
			room = 2 * room + 2 * LEAST;
			larger = realloc(memory, room + 1);
			if (!larger) {
				free(memory);
				return -ENOMEM;
			}
			memory = larger;
		}
		n = leat_file_read(f, memory + total, room - total);
		total += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	if (n < 0) {
		free(memory);
		return (int)n;
	}
	memory[total] = '\0';
	*to = memory;
	*bytes = total;
	return 0;
}

void *leat_read_file(const char *path, size_t *bytes, const leat_error **error)
{
	int fd = LEAT__ANNOUNCED(leat__os_open(path, O_RDONLY, 0)), err;
	struct leat__disk d = {0};
	struct stat s = {0};
	char *memory = NULL;
	size_t unwanted;

	if (leat__path_failed("open", path, fd < 0 ? fd : 0, error))
		return NULL;
	if (!bytes)
		bytes = &unwanted;
	err = LEAT__ANNOUNCED(leat__os_stat_fd(fd, &s));
	if (!err && !S_ISREG(s.st_mode) && !S_ISDIR(s.st_mode)) {
		leat_file *f = leat_file_from_fd(fd, path, NULL);

		err = f ? leat__read_stream(f, &memory, bytes) : -ENOMEM;
		if (f)
			fd = -1;
		leat_file_free(f);
	} else if (!err) {
		leat__disk_init(&d, fd, 0, false);
		/* One more than there is, to see the end. */
		err =
		    leat__read_whole(&d, s.st_size < LEAST ? LEAST : (size_t)s.st_size + 1, &memory, bytes);
	}
	if (fd >= 0)
		leat__os_fd_close(fd);
	leat__path_failed("read", path, err, error);
	return memory;
}

/* --- writing */

/* Write and close f, which may be NULL for what *error says already. */
static int leat__write_whole(leat_file *f, const void *from, size_t bytes, bool sync,
                             const leat_error **error)
{
	const char *op = "write";
	int err, closed;

	err = leat_file_write(f, from, bytes, NULL);
	if (!err && sync) {
		op = "sync";
		err = leat_file_sync(f);
	}
	closed = leat_file_close(f);
	if (!err && closed) {
		op = "close";
		err = closed;
	}
	leat__path_failed(op, leat_file_name(f), err, error);
	leat_file_free(f);
	return err;
}

int leat_write_file(const char *path, const void *from, size_t bytes, unsigned mode,
                    const leat_error **error)
{
	const leat_error *why = NULL;
	leat_file *f = leat_file_open(path, O_WRONLY | O_CREAT | O_TRUNC, mode, &why);
	int err;

	if (f)
		return leat__write_whole(f, from, bytes, false, error);
	err = leat_error_code(why);
	if (error)
		*error = why;
	else
		leat_error_free(why);
	return err;
}

/* The folder that path is in, to the device: without that a rename may be forgotten. */
static int leat__sync_folder(const char *path, const leat_error **error)
{
	const char *slash = strrchr(path, '/');
	size_t length = slash ? (size_t)(slash - path) : 0;
	char *folder = slash ? strndup(path, length ? length : 1) : strdup(".");
	struct leat__disk d = {0};
	int fd, err;

	if (!folder)
		return leat__path_failed("sync", path, -ENOMEM, error);
	fd = LEAT__ANNOUNCED(leat__os_open(folder, O_RDONLY, 0));
	err = fd < 0 ? fd : 0;
	if (!err) {
		leat__disk_init(&d, fd, 0, false);
		err = leat__disk_sync(&d, false);
		leat__os_fd_close(fd);
	}
	/* Some file systems have nothing to bring there. */
	if (err == -EINVAL || err == -EACCES)
		err = 0;
	leat__path_failed("sync", folder, err, error);
	free(folder);
	return err;
}

/*
 * How much of path the name beside it begins with: all, or as much as leaves room behind it for what tells them apart.  Not half
 * a letter of UTF-8: some file systems take none.
 */
static size_t beginning(const char *path)
{
	const char *slash = strrchr(path, '/');
	size_t folder = slash ? (size_t)(slash + 1 - path) : 0, bytes = strlen(path);

	if (bytes - folder <= NAME_MAX - BESIDE_BYTES)
		return bytes;
	for (bytes = folder + NAME_MAX - BESIDE_BYTES;
	     bytes > folder + 1 && (path[bytes] & 0xc0) == 0x80; bytes--)
		;
	return bytes;
}

/* A new file beside path, which is to have the mode of what is there now; NULL, and why in *error. */
static leat_file *leat__file_beside(const char *path, unsigned mode, const leat_error **error)
{
	size_t kept = beginning(path), bytes = kept + BESIDE_BYTES + 1;
	char *name = malloc(bytes);
	const leat_error *why = NULL;
	leat_file *f = NULL;
	struct stat s;
	int err;

	if (!name) {
		leat__path_failed("open", path, -ENOMEM, error);
		return NULL;
	}
	do {
		leat_error_free(why);
		why = NULL;
		snprintf(name, bytes, "%.*s.%" PRIu32, (int)kept, path, leat__temp_number());
		f = leat_file_open(name, O_WRONLY | O_CREAT | O_EXCL, mode, &why);
	} while (!f && leat_error_code(why) == -EEXIST);
	if (f && LEAT__ANNOUNCED(leat__os_stat(path, true, &s)) == 0 && S_ISREG(s.st_mode)) {
		err = LEAT__ANNOUNCED(leat__os_chmod_fd(leat_file_fd(f), s.st_mode & 07777));
		if (err) {
			why = error ? leat__path_error("chmod", name, err) : NULL;
			leat_file_free(f);
			LEAT__ANNOUNCED(leat__os_unlink(name));
			f = NULL;
		}
	}
	free(name);
	if (error && !f)
		*error = why;
	else
		leat_error_free(why);
	return f;
}

int leat_write_file_atomic(const char *path, const void *from, size_t bytes, unsigned mode,
                           const leat_error **error)
{
	const leat_error *why = NULL;
	leat_file *f = leat__file_beside(path, mode, &why);
	char *name = f ? strdup(leat_file_name(f)) : NULL;
	int err;

	if (f && !name) {
		why = &leat_out_of_memory;
		LEAT__ANNOUNCED(leat__os_unlink(leat_file_name(f)));
		leat_file_free(f);
	}
	err = name ? leat__write_whole(f, from, bytes, true, &why) : leat_error_code(why);
	if (!err)
		err = leat_rename(name, path, &why);
	if (err && name)
		LEAT__ANNOUNCED(leat__os_unlink(name));
	free(name);
	if (!err)
		return leat__sync_folder(path, error);
	if (error)
		*error = why;
	else
		leat_error_free(why);
	return err;
}

/* --- one call */

int leat_stat(const char *path, struct stat *to, const leat_error **error)
{
	return leat__path_failed("stat", path, LEAT__ANNOUNCED(leat__os_stat(path, true, to)), error);
}

int leat_lstat(const char *path, struct stat *to, const leat_error **error)
{
	return leat__path_failed("lstat", path, LEAT__ANNOUNCED(leat__os_stat(path, false, to)), error);
}

/* Of what has two names; err. */
static int link_failed(const char *op, const char *from, const char *to, int err,
                       const leat_error **error)
{
	char words[LEAT__IO_WORDS];

	if (err && error) {
		leat_error *e =
		    leat_errorf(NULL, "%s %s %s: %s", op, from, to, leat__system_words(err, words));

		leat_error_set_code(e, err);
		*error = e;
	}
	return err;
}

int leat_rename(const char *from, const char *to, const leat_error **error)
{
	return link_failed("rename", from, to, LEAT__ANNOUNCED(leat__os_rename(from, to)), error);
}

int leat_link(const char *from, const char *to, const leat_error **error)
{
	return link_failed("link", from, to, LEAT__ANNOUNCED(leat__os_link(from, to)), error);
}

int leat_symlink(const char *target, const char *path, const leat_error **error)
{
	return link_failed("symlink", target, path, LEAT__ANNOUNCED(leat__os_symlink(target, path)),
	                   error);
}

/* The kernel does not say how much there is: it filled the room, or not. */
char *leat_readlink(const char *path, const leat_error **error)
{
	char *to = NULL, *larger;
	ssize_t n;

	for (size_t room = LINK_BYTES;; room *= 2) {
		larger = realloc(to, room);
		n = larger ? LEAT__ANNOUNCED(leat__os_readlink(path, larger, room)) : -ENOMEM;
		if (larger)
			to = larger;
		if (n < 0 || (size_t)n < room)
			break;
	}
	if (n >= 0) {
		to[n] = '\0';
		return to;
	}
	free(to);
	leat__path_failed("readlink", path, (int)n, error);
	return NULL;
}

int leat_chmod(const char *path, unsigned mode, const leat_error **error)
{
	return leat__path_failed("chmod", path, LEAT__ANNOUNCED(leat__os_chmod(path, mode)), error);
}

int leat_chtimes(const char *path, const struct timespec *accessed, const struct timespec *modified,
                 const leat_error **error)
{
	return leat__path_failed("chtimes", path,
	                         LEAT__ANNOUNCED(leat__os_set_times(path, accessed, modified)), error);
}

int leat_truncate(const char *path, int64_t bytes, const leat_error **error)
{
	return leat__path_failed("truncate", path, LEAT__ANNOUNCED(leat__os_truncate_path(path, bytes)),
	                         error);
}

int leat_mkdir(const char *path, unsigned mode, const leat_error **error)
{
	return leat__path_failed("mkdir", path, LEAT__ANNOUNCED(leat__os_mkdir(path, mode)), error);
}

static bool leat__is_folder(const char *path)
{
	struct stat s;

	return LEAT__ANNOUNCED(leat__os_stat(path, true, &s)) == 0 && S_ISDIR(s.st_mode);
}

/* 0 where it is there already. */
static int leat__mkdir_once(const char *path, unsigned mode)
{
	int err = LEAT__ANNOUNCED(leat__os_mkdir(path, mode));

	if (err && leat__is_folder(path))
		return 0;
	return err == -EEXIST ? -ENOTDIR : err;
}

int leat_mkdir_all(const char *path, unsigned mode, const leat_error **error)
{
	char *part = *path ? strdup(path) : NULL;
	int err = part ? 0 : *path ? -ENOMEM : -ENOENT; /* no name names nothing */

	if (!part)
		return leat__path_failed("mkdir", path, err, error);
	if (leat__is_folder(path)) {
		free(part);
		return 0;
	}
	for (char *at = part; !err && *at;) {
		char after;

		at += strspn(at, "/");
		at += strcspn(at, "/");
		after = *at;
		*at = '\0';
		err = leat__mkdir_once(part, mode);
		if (!err)
			*at = after;
	}
	leat__path_failed("mkdir", part, err, error);
	free(part);
	return err;
}

int leat_remove(const char *path, const leat_error **error)
{
	int err = LEAT__ANNOUNCED(leat__os_remove(NULL, path, false)), folder;

	if (!err)
		return 0;
	folder = LEAT__ANNOUNCED(leat__os_remove(NULL, path, true));
	if (!folder)
		return 0;
	/* Of a file the second call says only that it is no folder. */
	return leat__path_failed("remove", path, folder == -ENOTDIR ? err : folder, error);
}
