/* SPDX-License-Identifier: MIT */
/* What libleat_locks.so (cmd/locks) and libleat know of one another. */
#ifndef LEAT_SCHED_LOCKS_H
#define LEAT_SCHED_LOCKS_H

#include <stddef.h>

/* A lock that the calling thread holds. */
struct leat__lock_held {
	const void *lock;
	const char *kind; /* "pthread mutex" and so on */
	void *where;      /* where the call that took it first goes on */
	unsigned times;   /* taken and not yet given back: recursive ones */
};

/*
 * Copy the first max of those that the calling thread holds, the newest first, and return how many it
 * holds.  Changes nothing, not errno either.
 *
 * Defined by libleat_locks.so, and found by its name: the library and the program may be of different
 * versions of leat, so if what this means ever changes, so does the name.
 */
size_t leat__locks_held(struct leat__lock_held *to, size_t max);
#define LEAT__LOCKS_HELD "leat__locks_held"

#endif
