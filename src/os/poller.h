/* SPDX-License-Identifier: MIT */
/*
 * The part of the platform's contract that is about waiting for many descriptors at once.
 *
 * One poller per process, made by leat__os_poller_open, on which everything below but
 * leat__os_fd_ready and leat__os_fd_close relies.  It reports edges: that a descriptor became ready,
 * once, to one of the threads that ask.  As everywhere in src/os failures are negative errno codes and
 * errno is left alone; nothing here is known to the thread sanitizer, so it orders nothing.
 */
#ifndef LEAT_OS_POLLER_H
#define LEAT_OS_POLLER_H

#include "os/os.h"

enum {
	LEAT__OS_READ = 1,  /* something to read, the end, or an error */
	LEAT__OS_WRITE = 2, /* room to write, or an error */
	LEAT__OS_LAST = 4, /* the end, an error or urgent data came, of which no later edge will tell */
};

struct leat__os_event {
	uint64_t token;
	unsigned ready; /* of those above */
};

enum { LEAT__OS_BATCH = 64 };

/* What is collected at a time; much for a small stack. */
struct leat__os_batch {
	struct leat__os_event events[LEAT__OS_BATCH];
	uint64_t room[2 * LEAT__OS_BATCH]; /* for the system's form of them */
};

/* Make the poller, once.  0 or -errno. */
int leat__os_poller_open(void);

/* In the child of a fork, to which the parent's is of no use: it may be opened again. */
void leat__os_poller_drop(void);

/*
 * Report edges of fd, of READ, WRITE or both and no others, under this token from now on, and at once
 * what it is ready for already; so calling this again looks again, and is right whatever file now has
 * the number.  Errors are reported in any case.  token is not UINT64_MAX.
 * 0; -EPERM for files that are always ready; -EBADF, -ENOSPC, -ENOMEM.
 */
int leat__os_poller_watch(int fd, uint64_t token, unsigned wanted);

/* Report fd no more.  What was collected before may still be on its way. */
void leat__os_poller_unwatch(int fd);

/*
 * Collect up to LEAT__OS_BATCH events; returns how many, or -errno when the poller is gone.  With block, wait for the first
 * until deadline_ns, or an interruption; may return 0 at any time.  One thread at a time may block, others may collect
 * beside it.
 */
int leat__os_poller_collect(struct leat__os_batch *batch, bool block, int64_t deadline_ns);

/* End the wait of the thread that blocks in collect, or of the next one that does. */
void leat__os_poller_interrupt(void);

/* What fd is ready for now, of the given bits of poll(2) and those that poll always adds; 0 or more, or
   -errno, -EBADF among them. */
int leat__os_fd_ready(int fd, int events);

/* Close fd; it is closed in any case.  0 or -errno, what was written earlier and failed. */
int leat__os_fd_close(int fd);

#endif
