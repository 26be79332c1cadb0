/* SPDX-License-Identifier: MIT */
/*
 * Sets of descriptors: a few that belong together, as those of another library, which are waited for as one.
 *
 * A set is a descriptor itself.  It is readable while one of its own is ready for what is wanted of it, which is told as often
 * as one asks (by level); who has found none ready gets an edge of the set when one becomes so.
 */
#ifndef LEAT_OS_FDSET_H
#define LEAT_OS_FDSET_H

#include "os/poller.h"

/* An empty set, to be closed as any descriptor; or a negative errno code. */
int leat__os_fdset_open(void);

/* What is wanted of fd from now on; nothing at all takes it out.  0 or a negative errno code. */
int leat__os_fdset_want(int set, int fd, bool read, bool write);

/* Up to max of those that are ready, the number of each being its token; how many, 0 for none, or a negative errno code. */
int leat__os_fdset_ready(int set, struct leat__os_event *events, int max);

#endif
