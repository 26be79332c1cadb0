/* SPDX-License-Identifier: MIT */
/*
 * The poller: goroutines that wait for descriptors, and those who wake them.
 *
 * One poll descriptor per descriptor number, made at the number's first use and never unmapped.  A
 * number has one life after the other: leat__pd_evict and leat__pd_close end one.  For the owner of a
 * descriptor (the I/O above), one wait:
 *
 *	leat__pd_hold(pd)                       else -ECANCELED: it is being closed
 *	err = leat__pd_prepare(pd, dir)         closed, or past its deadline
 *	while (!err && read(...) is EAGAIN)
 *		m = leat__pd_wait(m, pd, dir, &err)
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
#ifndef LEAT_SCHED_NETPOLL_H
#define LEAT_SCHED_NETPOLL_H

#include "os/poller.h"
#include "sched/scheduler.h"
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
};

struct leat__pd {
	_Atomic uintptr_t state[LEAT__POLL_DIRS];
	_Atomic uint32_t flags;    /* changes under the lock, but for what timers set */
	_Atomic uint32_t sequence; /* of this life; an event of an earlier one is stale */
	int fd;
	uint32_t lock;
	uint32_t holders;                             /* operations in flight; lock */
	struct leat__g *closer;                       /* waits until there are none; lock */
	struct leat__timer timers[LEAT__POLL_EITHER]; /* deadlines; set under the lock */
};

/* Goroutines and threads that wait in the poller: they keep the process alive.  One counts until after
   it has been made runnable. */
extern _Atomic int leat__poll_waiters;

/* The descriptor of a number, or NULL: bad number, or no memory. */
struct leat__pd *leat__pd_of(int fd);

/* The same if the number was ever used. */
struct leat__pd *leat__pd_find(int fd);

/* 0 or -errno; the first call makes the poller. */
int leat__netpoll_start(void);
bool leat__netpoll_started(void);

/* A life begins: fd, which is not blocking, is watched.  0 or -errno, -EPERM for a file that is always
   ready. */
int leat__pd_open(int fd, struct leat__pd **pd);

/* An operation begins; false when the descriptor is being closed.  And it ends. */
bool leat__pd_hold(struct leat__pd *pd);
void leat__pd_drop(struct leat__m *m, struct leat__pd *pd);

/* Before a first try of the operation, forget readiness of earlier.  0, -ECANCELED when closed,
   -ETIMEDOUT when past its deadline. */
int leat__pd_prepare(struct leat__pd *pd, enum leat__poll_dir dir);

/* Wait for an edge since prepare or the last wait.  *err: 0 (try again), or as above.  At most one
   waiter per direction. */
struct leat__m *leat__pd_wait(struct leat__m *m, struct leat__pd *pd, enum leat__poll_dir dir,
                              int *err);

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

/* --- for the scheduler */

/* What was found ready, linked by next: to be given to leat__netpoll_inject. */
struct leat__ready_list {
	struct leat__g *first, *last;
	int n;
};

/* Sleep in the poller until something is ready, deadline_ns, or an interruption. */
void leat__netpoll_block(struct leat__m *m, int64_t deadline_ns, struct leat__ready_list *ready);

/* Make them runnable: on m's processor, or globally. */
void leat__netpoll_inject(struct leat__m *m, struct leat__ready_list *ready);

/* Look without sleeping, unless somebody has within the last gap_us, or a thread sleeps in the poller.
   True when a goroutine became runnable. */
bool leat__netpoll_look(struct leat__m *m, int64_t gap_us);

/* The monitor's look: true when somebody waits for descriptors and no thread sleeps in the poller. */
bool leat__netpoll_oversee(struct leat__m *self);

/* See to it that a thread sleeps in the poller, if any is idle. */
void leat__netpoll_attend(void);

/* Have the keeper, wherever it sleeps, look up.  Scheduler's lock. */
void leat__rouse_keeper(void);

/* m sleeps in the poller.  Scheduler's lock. */
static inline bool leat__in_poller(const struct leat__m *m)
{
	return unlikely(load_relaxed(&leat__sched.keeper_polls)) && m == leat__sched.keeper;
}

/* Wake m, which sleeps on its wake word or (polls) in the poller. */
static inline void leat__wake_machine(struct leat__m *m, bool polls)
{
	if (unlikely(polls))
		leat__os_poller_interrupt();
	else
		leat__os_wake(&m->wake, 1);
}

#endif
