/* SPDX-License-Identifier: MIT */
/*
 * What is always ready, and yet makes one wait: regular files and block devices.  All of it parks, or blocks the thread and
 * gives the processor away; out of the runtime.
 */
#ifndef LEAT_FILE_DISK_H
#define LEAT_FILE_DISK_H

#include "base/atomic.h"
#include "os/file.h"

#include <leat/blocking.h>

/* A system call that may block the thread. */
#define LEAT__ANNOUNCED(call)                                                                      \
	__extension__({                                                                                \
		leat_blocking_call const announced = leat_blocking_begin();                                \
		__typeof__(call) value = (call);                                                           \
		leat_blocking_end(&announced);                                                             \
		value;                                                                                     \
	})

struct leat__disk {
	int fd;
	bool direct;         /* reads go to the device (O_DIRECT) */
	bool through;        /* writes do (O_DIRECT, O_SYNC, O_DSYNC) */
	bool append;         /* writes go to the end, wherever the position is */
	unsigned forks;      /* of this process, when nobody else could have the open file */
	_Atomic bool shared; /* somebody else may have it, and move the position */
	_Atomic bool
	    blind_read; /* the file system cannot say whether it would wait; found out by trying */
	_Atomic bool blind_write;
};

/* Zeroed d is the file of fd, with these flags of open(2).  shared: others may have it. */
void leat__disk_init(struct leat__disk *d, int fd, int flags, bool shared);

/* As leat_file_pread; offset -1: where the file is, which moves on. */
ssize_t leat__disk_read(struct leat__disk *d, void *to, size_t bytes, int64_t offset);

/* The same, which tells of both: how many came, and the error that then came, if any. */
int leat__disk_read_all(struct leat__disk *d, void *to, size_t bytes, int64_t offset, size_t *done);

/* As leat_file_write and leat_file_pwrite. */
int leat__disk_write(struct leat__disk *d, const void *from, size_t bytes, int64_t offset,
                     size_t *written);

int leat__disk_sync(const struct leat__disk *d, bool data_only);

#endif
