/* SPDX-License-Identifier: MIT */
/*
 * One ring for all processors.  What comes here waits for a device, as what does not is done without the ring
 * (io/file_disk.c); so a lock, for some nanoseconds on either way, is not what limits it, and one descriptor in the poller
 * is told of all that ends.  docs/design/files.md has the figures.
 *
 * Invariants
 *  - A waiter lies on its goroutine's stack from put to the end of its operation: nobody gives up.
 *  - state: who comes second, of the goroutine that is about to park (PARKED) and who takes the end (ENDED), sees the other's:
 *    then the goroutine does not park, or is readied.  Who has made it ENDED touches the waiter no more, unless it was
 *    PARKED, until it has readied it.
 *  - under_way is at most the room of the ring; who finds that full waits in turns, and is given the place of one that
 *    ended.
 *  - A waiter that may park is counted in leat__poll_waiters, until it is in a run queue.
 *
 * The lock protects both queues of the ring, under_way and turns.  It is taken in the runtime, and nothing under it.
 */
#include "sched/uring.h"

#include "sched/panic.h"
#include "sched/settings.h"

#include <errno.h>

enum { RUNNING, PARKED, ENDED };

struct waiter {
	struct leat__g *g;
	struct waiter *next; /* in turns; of those that have ended */
	int result;          /* before ENDED */
	_Atomic int state;
};

static uint8_t lock, start_lock;
static _Atomic bool started, refused;
static uint32_t under_way;
static struct waiter *turns, **turns_end = &turns;

/* --- the ring */

static COLD bool make_ring(void)
{
	int fd = -EAGAIN;

	if (leat__netpoll_start() != 0)
		return false;
	leat__lock(&start_lock);
	if (!load_relaxed(&started)) {
		fd = leat__os_uring_open();
		if (fd >= 0 && leat__os_poller_watch(fd, LEAT__URING_TOKEN, LEAT__OS_READ) != 0) {
			leat__os_uring_drop();
			fd = -EAGAIN;
		}
		if (fd >= 0)
			store_release(&started, true);
	}
	leat__unlock(&start_lock);
	if (fd == -ENOSYS)
		store_relaxed(&refused, true);
	return load_acquire(&started);
}

void leat__uring_drop(void)
{
	lock = start_lock = 0;
	store_relaxed(&started, false);
	under_way = 0;
	turns = NULL;
	turns_end = &turns;
	leat__os_uring_drop();
}

/* --- waiting */

/* The end of w comes, or has come.  The caller parks unless it has. */
static struct leat__m *leat__uring_await(struct leat__m *m, struct waiter *w)
{
	int running = RUNNING;

	fetch_add_relaxed(&leat__poll_waiters, 1);
	leat__park_as(m->g, LEAT__WAIT_IO);
	/* Acquires the result, releases that this goroutine is parked. */
	if (!cas_acq_rel(&w->state, &running, PARKED)) {
		leat__park_as(m->g, LEAT__RUNNABLE);
		leat__poll_awake(1);
		return m;
	}
	/* As in leat__pd_sleep. */
	if (unlikely(!m->p) && !load_relaxed(&leat__sched.keeper_polls))
		leat__netpoll_attend();
	return leat__park(m);
}

static void end(struct leat__m *m, struct waiter *w, struct leat__ready_list *ready)
{
	struct leat__g *g = w->g;

	if (exchange_acq_rel(&w->state, ENDED) == PARKED)
		leat__ready_list_add(m, ready, g);
}

/* A place in the ring: at once, or when it is the caller's turn.  Locked; unlocks where it waits, and returns locked. */
static struct leat__m *leat__uring_place(struct leat__m *m)
{
	struct waiter w = {.g = m->g};

	if (likely(under_way < leat__os_uring_room())) {
		under_way++;
		return m;
	}
	*turns_end = &w;
	turns_end = &w.next;
	leat__unlock(&lock);
	m = leat__uring_await(m, &w); /* who ends that has taken w off */
	leat__lock(&lock);
	return m; /* NOLINT(clang-analyzer-core.StackAddressEscape) */
}

/* An operation has ended: its place goes to who has waited longest, whom this returns, or is free.  Locked. */
static struct waiter *pass_on(void)
{
	struct waiter *w = turns;

	if (likely(!w)) {
		under_way--;
		return NULL;
	}
	turns = w->next;
	if (!turns)
		turns_end = &turns;
	return w;
}

void leat__uring_edge(struct leat__m *m, struct leat__ready_list *ready)
{
	struct waiter *list = NULL, **last = &list, *w, *next;
	struct leat__uring_end e;

	/* Listed in themselves: who looks may have a small stack. */
	leat__lock(&lock);
	while (leat__os_uring_take(&e)) {
		w = (struct waiter *)(uintptr_t)e.token;
		w->result = e.result;
		next = pass_on();
		*last = w;
		last = &w->next;
		if (unlikely(next != NULL)) {
			*last = next;
			last = &next->next;
		}
	}
	*last = NULL;
	leat__unlock(&lock);
	for (w = list; w; w = next) {
		next = w->next; /* w is gone once its end is known */
		end(m, w, ready);
	}
}

/* Give r to the kernel; the M on which this goes on. */
static struct leat__m *leat__uring_give(struct leat__m *m, const struct leat__uring_request *r,
                                        struct waiter *w)
{
	uint32_t place;
	bool put;
	int err;

	leat__lock(&lock);
	m = leat__uring_place(m);
	for (;;) {
		put = leat__os_uring_put(r, (uintptr_t)w, &place);
		leat__unlock(&lock);
		/* Outside: it takes microseconds, and who waits for memory there may lose the processor. */
		leat__leave(m);
		err = leat__os_uring_submit(place);
		if (err)
			leat__fatal(err == -EPERM
			                ? "io_uring was forbidden after the first file was used; LEAT_URING=0 "
			                  "does without it"
			                : "the ring's descriptor was closed; is it in the way of a closefrom?");
		m = leat__enter();
		if (put)
			return m;
		leat__lock(&lock);
	}
}

/* What a plain call is to be asked for: the ring says some of these for reasons of its own, such as that the thread which
   submitted the operation has ended. */
static bool left_to_others(int result)
{
	switch (result) {
	case -ECANCELED:
	case -EINTR:
	case -EFAULT:
	case -EAGAIN:
	case -EINVAL:
	case -EOPNOTSUPP:
		return true;
	}
	return false;
}

bool leat__uring_do(const struct leat__uring_request *r, int *result)
{
	struct waiter w = {.g = NULL};
	struct leat__m *m;

	if (leat__settings.uring == LEAT__URING_NEVER || load_relaxed(&refused))
		return false;
	m = leat__enter();
	if (unlikely(!load_acquire(&started)) && !make_ring()) {
		leat__leave(m);
		return false;
	}
	w.g = m->g;
	m = leat__uring_give(m, r, &w);
	m = leat__uring_await(m, &w);
	leat__leave(m);
	*result = w.result;
	return !left_to_others(w.result);
}
