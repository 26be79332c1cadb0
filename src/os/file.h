/* SPDX-License-Identifier: MIT */
/*
 * The part of the platform's contract that is about files and directories.
 *
 * All of it may block the thread, but what ends in _now.  As everywhere in src/os failures are negative errno codes, EINTR
 * is tried again, and errno is left alone.  Descriptors are closed on exec.
 */
#ifndef LEAT_OS_FILE_H
#define LEAT_OS_FILE_H

#include "base/compiler.h"

#include <sys/stat.h>
#include <sys/types.h>

/* --- open ones */

int leat__os_open(const char *path, int flags, unsigned mode);
int leat__os_pipe(int fds[2], int flags); /* O_NONBLOCK, or 0 */

/* O_NONBLOCK, O_APPEND and so on, as open(2) has them. */
int leat__os_flags(int fd);
int leat__os_set_nonblock(int fd);

/* With these flags reads, or writes, go to the device. */
bool leat__os_reads_device(int flags);
bool leat__os_writes_device(int flags);
bool leat__os_appends(int flags);

/* What is there without waiting for a device: fewer bytes, or -EAGAIN; -EOPNOTSUPP for files and kernels that cannot tell.
   offset -1: where the file is, which moves on. */
ssize_t leat__os_read_now(int fd, void *to, size_t bytes, int64_t offset);
ssize_t leat__os_write_now(int fd, const void *from, size_t bytes, int64_t offset);

/* The same, waiting; 0 at the end. */
ssize_t leat__os_read_file(int fd, void *to, size_t bytes, int64_t offset);
ssize_t leat__os_write_file(int fd, const void *from, size_t bytes, int64_t offset);

/* What a pipe's last reader has gone from is -EPIPE, and no signal. */
ssize_t leat__os_write_pipe(int fd, const void *from, size_t bytes);

/* Between regular files, both where they are: as much as was copied, 0 at the end. */
ssize_t leat__os_copy_range(int from, int to, size_t bytes);

int64_t leat__os_seek(int fd, int64_t offset, int whence);
int leat__os_truncate(int fd, int64_t bytes);
int leat__os_sync(int fd, bool data_only);
int leat__os_stat_fd(int fd, struct stat *to);
int leat__os_chmod_fd(int fd, unsigned mode);

/* --- by name */

int leat__os_stat(const char *path, bool follow, struct stat *to);
int leat__os_mkdir(const char *path, unsigned mode);
int leat__os_rename(const char *from, const char *to);
int leat__os_chmod(const char *path, unsigned mode);
int leat__os_link(const char *from, const char *to);
int leat__os_symlink(const char *target, const char *path);

/* Up to bytes bytes of where a link leads, without a NUL: their number. */
ssize_t leat__os_readlink(const char *path, char *to, size_t bytes);
int leat__os_truncate_path(const char *path, int64_t bytes);

/* NULL: that one stays. */
int leat__os_set_times(const char *path, const struct timespec *accessed,
                       const struct timespec *modified);

/* --- directories */

struct leat__os_dir; /* an open one */

/* The one of that name, in another (NULL: where the process is); follow: if it is a link, where that leads. */
int leat__os_dir_open(struct leat__os_dir *in, const char *name, bool follow,
                      struct leat__os_dir **dir);

/* The next name, until the next call, and what it is (S_IFDIR and the like); 1, 0 at the end.  "." and ".." are passed
   over. */
int leat__os_dir_next(struct leat__os_dir *dir, const char **name, unsigned *type);

/* From the first one again. */
void leat__os_dir_again(struct leat__os_dir *dir);
void leat__os_dir_close(struct leat__os_dir *dir);

/* Remove a name in dir (NULL: where the process is): a folder, or what is none. */
int leat__os_remove(struct leat__os_dir *in, const char *name, bool folder);

#endif
