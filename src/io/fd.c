/* SPDX-License-Identifier: MIT */
/*
 * Waiting for descriptors of the program's own.
 *
 * The program opens, reads and closes them without telling, so nothing is believed: each round asks the
 * kernel what the descriptor is ready for (level), gets on the chain of waiters, registers the number
 * anew, which finds out whether it still means the file that is watched and repeats the edge if it is
 * ready by now, and only then parks.  Whoever wakes the caller, and for whatever reason, it asks again.
 *
 * A wait that began after the end of a descriptor's life but before its close(2) is woken after the
 * close, and finds the number bad, or someone else's.
 */
#include "sched/polldesc.h"

#include <leat/fd.h>
#include <leat/select.h>

#include <errno.h>

#ifndef POLLRDHUP
#define POLLRDHUP 0x2000
#endif
#define READING (POLLIN | POLLPRI | POLLRDHUP)
#define EVENTS  (READING | POLLOUT)

/* One call's own time-out; lies on its stack. */
struct timeout {
	struct leat__timer timer;
	struct leat__pd *pd;
	enum leat__poll_dir dir;
	_Atomic bool expired;
};

static void expire(struct leat__m *m, struct leat__timer *timer)
{
	struct timeout *t = container_of(timer, struct timeout, timer);

	store_relaxed(&t->expired, true);
	leat__pd_wake(m, t->pd, t->dir);
}

/* Rounds until fd is ready or there is a reason to stop; what leat_wait_fd returns. */
static struct leat__m *leat__fd_rounds(struct leat__m *m, struct leat__pd *pd, int events,
                                       const struct timeout *t, int *result)
{
	int err = 0;

	for (;;) {
		bool closing = load_acquire(&pd->flags) & LEAT__PD_CLOSING;
		bool expired = load_relaxed(&t->expired);

		/* What is ready counts, though time be up. */
		*result = closing ? -ECANCELED : leat__os_fd_ready(pd->fd, events);
		if (*result == 0)
			*result = expired ? -ETIMEDOUT : err;
		if (*result != 0)
			return m;
		m = leat__pd_wait_once(m, pd, t->dir, &t->expired, &err);
	}
}

static struct leat__m *leat__fd_wait(struct leat__m *m, struct leat__pd *pd, int events,
                                     int64_t timeout_ns, int *result)
{
	struct timeout t = {.timer.fire = expire, .pd = pd};

	t.dir = !(events & READING) ? LEAT__POLL_WRITE
	        : events & POLLOUT  ? LEAT__POLL_EITHER
	                            : LEAT__POLL_READ;
	t.timer.when = leat__deadline(timeout_ns);
	if (t.timer.when != INT64_MAX) {
		*result = leat__timer_add(&t.timer);
		if (*result)
			return m;
	}
	m = leat__fd_rounds(m, pd, events, &t, result);
	if (t.timer.when != INT64_MAX)
		leat__timer_stop(&t.timer);
	return m;
}

int leat_wait_fd(int fd, int events, int64_t timeout_ns)
{
	struct leat__pd *pd;
	struct leat__m *m;
	int result;

	if (!events || events & ~EVENTS)
		return -EINVAL;
	result = leat__os_fd_ready(fd, events);
	if (result)
		return result;
	if (timeout_ns <= 0)
		return -ETIMEDOUT;
	m = leat__enter();
	result = leat__netpoll_start();
	if (!result) {
		pd = leat__pd_of(fd);
		if (!pd) {
			result = -ENOMEM;
		} else if (!leat__pd_hold(pd)) {
			result = -ECANCELED;
		} else {
			m = leat__fd_wait(m, pd, events, timeout_ns, &result);
			leat__pd_drop(m, pd);
		}
	}
	leat__leave(m);
	return result;
}

/* End the life of fd as far as leat knows it; false: somebody else is at it. */
static bool leat__fd_end(int fd)
{
	struct leat__pd *pd = leat__pd_find(fd);
	struct leat__m *m;
	bool first;

	if (!pd)
		return true;
	m = leat__enter();
	first = leat__pd_evict(m, pd);
	if (first)
		m = leat__pd_close(m, pd);
	leat__leave(m);
	return first;
}

int leat_forget_fd(int fd)
{
	int ready = leat__os_fd_ready(fd, 0);

	if (ready < 0)
		return ready;
	return leat__fd_end(fd) ? 0 : -EBADF;
}

int leat_close_fd(int fd)
{
	struct leat__pd *pd;
	struct leat__m *m;
	int err;

	if (!leat__fd_end(fd))
		return -EBADF;
	err = leat__os_fd_close(fd);
	pd = leat__pd_find(fd);
	if (pd) {
		m = leat__enter();
		for (int dir = 0; dir < LEAT__POLL_DIRS; dir++)
			leat__pd_wake(m, pd, dir);
		leat__leave(m);
	}
	return err;
}
