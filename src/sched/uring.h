/* SPDX-License-Identifier: MIT */
/* Operations on files that park the goroutine until the kernel has done them. */
#ifndef LEAT_SCHED_URING_H
#define LEAT_SCHED_URING_H

#include "os/uring.h"
#include "sched/netpoll.h"

/* What the poller reports the ring under: no descriptor has the lower half. */
#define LEAT__URING_TOKEN (UINT64_MAX - 1)

/*
 * Do r, and wait until it is done, whatever else may end: true, and what the system said in *result; or nothing was done
 * and the caller is to do it in a call that blocks.  That is so where there is no ring, and for -ECANCELED, -EINTR, -EFAULT,
 * -EAGAIN, -EINVAL and -EOPNOTSUPP, of which such a call knows better what they mean.
 * Out of the runtime.  Costs two system calls and two switches.
 */
bool leat__uring_do(const struct leat__uring_request *r, int *result);

/* Something has ended: who waited for it is on the list. */
void leat__uring_edge(struct leat__m *m, struct leat__ready_list *ready);

/* In the child of a fork, at once: the ring is the parent's. */
void leat__uring_drop(void);

#endif
