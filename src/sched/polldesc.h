/* SPDX-License-Identifier: MIT */
/*
 * Poll descriptors: where goroutines that wait for a descriptor meet those who wake them.
 *
 * One poll descriptor per descriptor number, made at the number's first use and never unmapped.  A
 * number has one life after the other: leat__pd_evict and leat__pd_close end one.  For the owner of a
 * descriptor (the I/O above), one wait:
 *
 *	leat__pd_hold(pd)                       else -ECANCELED: it is being closed
 *	err = leat__pd_prepare(pd, dir)         closed, or past its deadline
 *	while (!err && read(...) is EAGAIN)
 *		m = leat__pd_wait(m, pd, dir, NULL, &err)
 *	leat__pd_drop(m, pd)
 *
 * and the end of a life:
 *
 *	if (leat__pd_evict(m, pd))              false: somebody else is at it
 *		m = leat__pd_close(m, pd)           returns when nobody holds it any more
 *	close(fd)                               only now may the number come back
 *
 * Who does not control what is read in between (leat_wait_fd) asks again and again what the descriptor
 * is ready for, and waits with leat__pd_wait_once.  All functions with an m: in the runtime.
 */
#ifndef LEAT_SCHED_POLLDESC_H
#define LEAT_SCHED_POLLDESC_H

#include "sched/netpoll.h"
#include "sched/timer.h"

/* For what one waits; a waiter in EITHER is woken by both. */
enum leat__poll_dir {
	LEAT__POLL_READ,
	LEAT__POLL_WRITE,
	LEAT__POLL_EITHER,
	LEAT__POLL_DIRS,
};

/* A direction's state is one of these, or a pointer to the newest of a chain of waiters. */
enum { LEAT__POLL_NIL = 0, LEAT__POLL_READY = 1 };

/* On the waiter's stack, which it does not leave before it was taken from the chain. */
struct leat__poll_waiter {
	struct leat__poll_waiter *next;
	struct leat__g *g;
	bool ready; /* woken by an edge, not by an eviction; written by who took it */
};

enum {
	LEAT__PD_CLOSING = 1,
	LEAT__PD_READ_EXPIRED = 2,
	LEAT__PD_WRITE_EXPIRED = 4,
	LEAT__PD_OPENED = 8, /* it has an owner, who wants all edges */
	LEAT__PD_LAST =
	    16, /* an edge came that is told once and stays: the end, an error, urgent data */
	LEAT__PD_UNWATCHED = 32, /* it has an owner, and the poller does not know it */
};

/* In users. */
enum { LEAT__PD_SHUT = 1, LEAT__PD_HOLD = 2 };

struct leat__pd {
	_Atomic uintptr_t state[LEAT__POLL_DIRS];
	_Atomic uint32_t flags;    /* changes under the lock, but for what timers set */
	_Atomic uint32_t sequence; /* of this life; an event of an earlier one is stale */
	int fd;
	uint8_t lock;
	_Atomic uint32_t users; /* HOLD for each operation in flight; SHUT: no more */
	struct leat__g *closer; /* who brings users back to SHUT alone wakes it */
	struct leat__timer timers[LEAT__POLL_EITHER]; /* deadlines; set under the lock */
};

/* The descriptor of a number, or NULL: bad number, or no memory. */
struct leat__pd *leat__pd_of(int fd);

/* The same if the number was ever used. */
struct leat__pd *leat__pd_find(int fd);

/* A life begins: fd, which is not blocking, is watched.  0 or -errno, -EPERM for a file that is always
   ready.  In the runtime. */
int leat__pd_open(int fd, struct leat__pd **pd);

/* The same for one that never waits in the poller, such as a file that is always ready.  0 or -errno. */
int leat__pd_open_unwatched(int fd, struct leat__pd **pd);

/* An operation begins; false when the descriptor is being closed; in the runtime or not.  And it ends: in the runtime, or
   (let_go) outside. */
bool leat__pd_hold(struct leat__pd *pd);
void leat__pd_drop(struct leat__m *m, struct leat__pd *pd);
void leat__pd_let_go(struct leat__pd *pd);

/* Which life this is: it changes with each, and with a fork in the child. */
static inline uint32_t leat__pd_life(const struct leat__pd *pd)
{
	return load_relaxed(&pd->sequence);
}

/* Before a first try of the operation, forget readiness of earlier.  0, -ECANCELED when closed,
   -ETIMEDOUT when past its deadline. */
int leat__pd_prepare(struct leat__pd *pd, enum leat__poll_dir dir);

/* The same, but that earlier readiness is kept in mind. */
int leat__pd_check(const struct leat__pd *pd, enum leat__poll_dir dir);

/* An end, an error or urgent data was seen, of which no further edge will tell. */
static inline bool leat__pd_told_last(const struct leat__pd *pd)
{
	return load_acquire(&pd->flags) & LEAT__PD_LAST;
}

/* Wait for an edge since prepare or the last wait.  *err: 0 (try again), or as above; -EINTR where *stop (NULL: none)
   was set before a leat__pd_wake.  At most one waiter per direction. */
struct leat__m *leat__pd_wait(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                              const _Atomic bool *stop, int *err);

/* Wait until fd is ready, or no reason at all, or *expired; any number of waiters.  *err is what
   watching the number gave.  Registers it, so leat__pd_open is not needed. */
struct leat__m *leat__pd_wait_once(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                                   const _Atomic bool *expired, int *err);

/* Wake who waits in dir, to look again. */
void leat__pd_wake(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir);

/* The deadline of one direction, or of both (EITHER), from now on and for who waits already; INT64_MAX:
   none.  0, -ENOMEM, -ECANCELED. */
int leat__pd_set_deadline(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                          int64_t when);

/* Let nobody begin an operation and wake all who wait; false when that was done already. */
bool leat__pd_evict(struct leat__m *m, struct leat__pd *pd);

/* After evict: wait until nobody holds pd, then forget the descriptor.  The number is ready for its
   next life. */
struct leat__m *leat__pd_close(struct leat__m *m, struct leat__pd *pd);

/* In the child of a fork: none of those who waited is there.  What has an owner is watched anew. */
void leat__pd_forget(void);

/* What the poller has found, under the token by which it was watched: wake plain threads, and put
   goroutines on the list. */
void leat__pd_edge(struct leat__m *m, uint64_t token, unsigned edges,
                   struct leat__ready_list *ready);

#endif
