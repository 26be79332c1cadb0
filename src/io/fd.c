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
#include "ctx/wait.h"
#include "sched/polldesc.h"

#include <leat/fd.h>
#include <leat/select.h>

#include <errno.h>

#ifndef POLLRDHUP
#define POLLRDHUP 0x2000
#endif
#define READING (POLLIN | POLLPRI | POLLRDHUP)
#define EVENTS  (READING | POLLOUT)

/* What ends one call's wait beside its descriptor; lies on its stack. */
struct ending {
	struct leat__timer timer;
	struct leat__watch watch;
	leat_ctx *source; /* what ends ctx, NULL: nothing does */
	struct leat__pd *pd;
	enum leat__poll_dir dir;
	_Atomic bool over;
};

static void time_is_up(struct leat__m *m, struct leat__timer *timer)
{
	struct ending *e = container_of(timer, struct ending, timer);

	store_relaxed(&e->over, true);
	leat__pd_wake(m, e->pd, e->dir);
}

static void ctx_is_done(struct leat__m *m, struct leat__watch *watch)
{
	struct ending *e = container_of(watch, struct ending, watch);

	store_relaxed(&e->over, true);
	leat__pd_wake(m, e->pd, e->dir);
}

/* Why a wait is over that found nothing ready. */
static int reason(const struct ending *e)
{
	int err = e->source ? leat__ctx_err(e->source) : 0;

	return err ? err : -ETIMEDOUT;
}

/* Rounds until fd is ready or there is a reason to stop; what leat_wait_fd returns. */
static struct leat__m *leat__fd_rounds(struct leat__m *m, struct ending *e, int events, int *result)
{
	int err = 0;

	for (;;) {
		bool closing = load_acquire(&e->pd->flags) & LEAT__PD_CLOSING;
		bool over = load_relaxed(&e->over);

		/* What is ready counts, though time be up. */
		*result = closing ? -ECANCELED : leat__os_fd_ready(e->pd->fd, events);
		if (*result == 0)
			*result = over ? reason(e) : err;
		if (*result != 0)
			return m;
		m = leat__pd_wait_once(m, e->pd, e->dir, &e->over, &err);
	}
}

static struct leat__m *leat__fd_wait(struct leat__m *m, struct leat__pd *pd, int events,
                                     int64_t timeout_ns, leat_ctx *source, int *result)
{
	struct ending e = {.timer = {.when = leat__deadline(timeout_ns), .fire = time_is_up},
	                   .watch.done = ctx_is_done,
	                   .source = source,
	                   .pd = pd};
	bool watched;

	e.dir = !(events & READING) ? LEAT__POLL_WRITE
	        : events & POLLOUT  ? LEAT__POLL_EITHER
	                            : LEAT__POLL_READ;
	if (e.timer.when != INT64_MAX) {
		*result = leat__timer_add(&e.timer);
		if (*result)
			return m;
	}
	watched = source && leat__ctx_watch(source, &e.watch);
	if (source && !watched)
		store_relaxed(&e.over, true);
	m = leat__fd_rounds(m, &e, events, result);
	if (watched)
		leat__ctx_unwatch(source, &e.watch);
	if (e.timer.when != INT64_MAX)
		leat__timer_stop(&e.timer);
	return m;
}

/* fd is not ready. */
static int leat__fd_park(int fd, int events, int64_t timeout_ns, leat_ctx *source)
{
	struct leat__m *m = leat__enter();
	int result = leat__netpoll_start();
	struct leat__pd *pd;

	if (!result) {
		pd = leat__pd_of(fd);
		if (!pd) {
			result = -ENOMEM;
		} else if (!leat__pd_hold(pd)) {
			result = -ECANCELED;
		} else {
			m = leat__fd_wait(m, pd, events, timeout_ns, source, &result);
			leat__pd_drop(m, pd);
		}
	}
	leat__leave(m);
	return result;
}

int leat_wait_fd_ctx(int fd, int events, int64_t timeout_ns, leat_any_ctx any)
{
	leat_ctx *ctx = any.leat__ctx;
	int result;

	if (!events || events & ~EVENTS)
		return -EINVAL;
	result = leat_ctx_err(any);
	if (!result)
		result = leat__os_fd_ready(fd, events);
	if (result)
		return result;
	if (timeout_ns <= 0)
		return -ETIMEDOUT;
	result = leat__ctx_begin_wait(ctx);
	if (result)
		return result;
	result = leat__fd_park(fd, events, timeout_ns, ctx ? ctx->leat__source : NULL);
	leat__ctx_end_wait(ctx);
	return result;
}

int leat_wait_fd(int fd, int events, int64_t timeout_ns)
{
	return leat_wait_fd_ctx(fd, events, timeout_ns, (leat_any_ctx)(leat_ctx *)NULL);
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
