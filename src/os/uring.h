/* SPDX-License-Identifier: MIT */
/*
 * The part of the platform's contract that is about operations on files which the kernel carries out while nobody waits
 * in it: Linux's io_uring.
 *
 * One ring per process.  put and take are under a lock of the caller's; submit is not, and any number of threads may be in
 * it.  The ring's descriptor is for the poller, which sees an edge when something can be taken: who takes, takes all.  An
 * operation belongs to the thread that submits it: when that has ended, the operation may come back as -ECANCELED, -EINTR or
 * -EFAULT, with nothing done.  Failures are negative errno codes, and errno is left alone.
 */
#ifndef LEAT_OS_URING_H
#define LEAT_OS_URING_H

#include "os/os.h"

enum leat__uring_op {
	LEAT__URING_READ,
	LEAT__URING_WRITE,
	LEAT__URING_SYNC,
	LEAT__URING_SYNC_DATA,
};

struct leat__uring_request {
	enum leat__uring_op op;
	int fd;
	void *memory;   /* to read into, to write from; it stays where it is until the end */
	uint32_t bytes; /* 2 GiB at most */
	int64_t offset;
};

struct leat__uring_end {
	uint64_t token;
	int result; /* as of read(2), write(2), fsync(2), or -errno */
};

/* Make the ring, once: its descriptor; -ENOSYS where this kernel, or what confines the process, does not let it; or what
   may be otherwise the next time (-EMFILE, -ENOMEM). */
int leat__os_uring_open(void);

/* In the child of a fork, which must leave the parent's ring alone: it may be opened again. */
void leat__os_uring_drop(void);

/* How many operations may be under way. */
uint32_t leat__os_uring_room(void);

/* Queue one; token comes back with its end.  False: the queue is full.  *place, of the newest in it in either case, is for
   submit. */
bool leat__os_uring_put(const struct leat__uring_request *r, uint64_t token, uint32_t *place);

/* See to it that the kernel has the one at place, and with it others that it has not yet.  0; -EBADF: the ring is gone;
   -EPERM: since it was made the process was forbidden to use it (seccomp(2)). */
int leat__os_uring_submit(uint32_t place);

/* One that has ended; false: there is none. */
bool leat__os_uring_take(struct leat__uring_end *e);

#endif
