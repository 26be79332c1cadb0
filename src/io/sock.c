/* SPDX-License-Identifier: MIT */
/*
 * Invariants
 *  - Who operates on a socket holds its poll descriptor from before it waits for its turn until after it has given that
 *    back.  So a close, which waits until nobody holds it, may be followed by a free.
 *  - closed is set before the poll descriptor is evicted.  Poll descriptors belong to numbers, and a number may have
 *    another file once it is closed: who holds it after that looks at closed.  Its lock orders the two.
 *  - Who waits for a turn is not woken by a deadline or a close: who has the turn is, and gives it back.
 *  - Where a wait panics, the operation that it is in has ended: turn and poll descriptor are given back.
 */
#include "io/sock.h"

#include "ctx/wait.h"
#include "io/network.h"

#include <leat/defer.h>
#include <leat/fd.h>
#include <leat/select.h>

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define IOV_LOCAL 16 /* pieces at a time: goroutines may have small stacks */

/*
 * In the runtime, so that it has started by then: a fork that it is not told of would leave the child with the parent's poller.
 * And to make the poller takes locks that nobody may be stopped with.
 */
int leat__sock_open(struct leat__sock *s, int fd, const char *network)
{
	struct leat__m *m = leat__enter();
	int err = leat__pd_open(fd, &s->pd);

	leat__leave(m);
	if (err)
		return err;
	s->network = network;
	s->fd = fd;
	s->forks = leat__sched.forks;
	store_relaxed(&s->life, leat__pd_life(s->pd));
	return 0;
}

int leat__sock_open_unwatched(struct leat__sock *s, int fd)
{
	struct leat__m *m = leat__enter();
	int err = leat__pd_open_unwatched(fd, &s->pd);

	leat__leave(m);
	if (err)
		return err;
	s->fd = fd;
	store_relaxed(&s->life, leat__pd_life(s->pd));
	return 0;
}

/* Those who had turns in the process that this one was forked from are not here. */
static COLD void leat__sock_forked(struct leat__sock *s)
{
	struct leat__m *m = leat__enter();
	uint32_t life;

	leat__lock(&s->pd->lock);
	life = leat__pd_life(s->pd);
	if (load_relaxed(&s->life) != life) {
		for (int dir = 0; dir < LEAT__POLL_EITHER; dir++)
			s->turns[dir] = (leat_mutex){0};
		atomic_store_explicit(&s->life, life, memory_order_release);
	}
	leat__unlock(&s->pd->lock);
	leat__leave(m);
}

int leat__sock_hold(struct leat__sock *s)
{
	leat__sock_settle();
	if (!leat__pd_hold(s->pd))
		return -EBADF;
	if (unlikely(load_acquire(&s->closed))) {
		leat__pd_let_go(s->pd);
		return -EBADF;
	}
	if (unlikely(load_acquire(&s->life) != leat__pd_life(s->pd)))
		leat__sock_forked(s);
	return 0;
}

void leat__sock_let_go(struct leat__sock *s)
{
	leat__pd_let_go(s->pd);
}

static int from_poller(int err)
{
	return err == -ECANCELED ? -EBADF : err;
}

/*
 * The program answers for its own contexts, and they may need memory: what waits may panic.  With all others nothing does.
 */
static bool may_panic(const leat_ctx *ctx)
{
	return ctx && ctx->leat__source && ctx->leat__source->leat__kind == LEAT__CTX_CUSTOM;
}

/* An operation with such a context, and what to undo of it where it panics. */
struct risk {
	struct leat__sock *s;
	void (*undo)(struct leat__sock *s, enum leat__poll_dir dir);
	enum leat__poll_dir dir;
};

static void leat__sock_undo(struct risk *r)
{
	if (r->undo)
		r->undo(r->s, r->dir);
}

static void leat__sock_unhold(struct leat__sock *s, enum leat__poll_dir dir)
{
	(void)dir;
	leat__pd_let_go(s->pd);
}

static COLD int leat__sock_risk_turn(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx)
{
	struct risk r = {s, leat__sock_unhold, dir};
	int err;
	LEAT_DEFER(leat__sock_undo, &r);

	err = leat_mutex_lock_ctx(&s->turns[dir], (leat_any_ctx)ctx);
	r.undo = NULL;
	return err;
}

int leat__sock_begin(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx)
{
	int err = leat__sock_hold(s);

	if (unlikely(err))
		return err;
	if (unlikely(may_panic(ctx)))
		err = leat__sock_risk_turn(s, dir, ctx);
	else
		err = leat_mutex_lock_ctx(&s->turns[dir], (leat_any_ctx)ctx);
	if (likely(!err)) {
		err = from_poller(dir == LEAT__POLL_READ && s->drained ? leat__pd_check(s->pd, dir)
		                                                       : leat__pd_prepare(s->pd, dir));
		if (likely(!err))
			return 0;
		leat_mutex_unlock(&s->turns[dir]);
	}
	leat__pd_let_go(s->pd);
	return err;
}

void leat__sock_end(struct leat__sock *s, enum leat__poll_dir dir)
{
	leat_mutex_unlock(&s->turns[dir]);
	leat__pd_let_go(s->pd);
}

int leat__sock_with(struct leat__sock *s, int (*fn)(int fd, void *arg), void *arg)
{
	int err = leat__sock_hold(s);

	if (err)
		return err;
	err = fn(s->fd, arg);
	leat__pd_let_go(s->pd);
	return err;
}

/* What ends a wait in the poller: a context, or the time of a pause. */
struct ending {
	struct leat__watch watch;
	struct leat__timer timer;
	struct leat__pd *pd;
	enum leat__poll_dir dir;
	_Atomic bool stop;
};

static void ctx_is_done(struct leat__m *m, struct leat__watch *w)
{
	struct ending *e = container_of(w, struct ending, watch);

	store_relaxed(&e->stop, true);
	leat__pd_wake(m, e->pd, e->dir);
}

static int leat__sock_await(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx)
{
	leat_ctx *source = ctx ? ctx->leat__source : NULL;
	struct ending e = {.watch.done = ctx_is_done, .pd = s->pd, .dir = dir};
	struct leat__m *m;
	int err;

	if (!source) {
		m = leat__enter();
		m = leat__pd_wait(m, s->pd, dir, NULL, &err);
		leat__leave(m);
		return from_poller(err);
	}
	err = leat__ctx_begin_wait(ctx);
	if (err)
		return err;
	m = leat__enter();
	err = -EINTR;
	if (leat__ctx_watch(source, &e.watch)) {
		m = leat__pd_wait(m, s->pd, dir, &e.stop, &err);
		leat__ctx_unwatch(source, &e.watch);
	}
	leat__leave(m);
	leat__ctx_end_wait(ctx);
	return err == -EINTR ? leat_ctx_err((leat_any_ctx)ctx) : from_poller(err);
}

static COLD int leat__sock_risk_wait(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx,
                                     int64_t time_ns);

int leat__sock_wait(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx)
{
	return unlikely(may_panic(ctx)) ? leat__sock_risk_wait(s, dir, ctx, 0)
	                                : leat__sock_await(s, dir, ctx);
}

static void pause_is_over(struct leat__m *m, struct leat__timer *t)
{
	struct ending *e = container_of(t, struct ending, timer);

	store_relaxed(&e->stop, true);
	leat__pd_wake(m, e->pd, e->dir);
}

static int leat__sock_await_pause(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx,
                                  int64_t time_ns)
{
	struct ending e = {.watch.done = ctx_is_done,
	                   .timer = {.when = leat__deadline(time_ns), .fire = pause_is_over},
	                   .pd = s->pd,
	                   .dir = dir};
	leat_ctx *source = ctx ? ctx->leat__source : NULL;
	int err = leat__ctx_begin_wait(ctx);
	struct leat__m *m;
	bool watched;

	if (err)
		return err;
	m = leat__enter();
	watched = source && leat__ctx_watch(source, &e.watch);
	if (source && !watched)
		err = -EINTR;
	if (!err)
		err = leat__timer_add(&e.timer);
	while (!err)
		m = leat__pd_wait(m, s->pd, dir, &e.stop, &err);
	leat__timer_stop(&e.timer);
	if (watched)
		leat__ctx_unwatch(source, &e.watch);
	leat__leave(m);
	leat__ctx_end_wait(ctx);
	return err == -EINTR ? leat_ctx_err((leat_any_ctx)ctx) : from_poller(err);
}

int leat__sock_pause(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx, int64_t time_ns)
{
	return unlikely(may_panic(ctx)) ? leat__sock_risk_wait(s, dir, ctx, time_ns)
	                                : leat__sock_await_pause(s, dir, ctx, time_ns);
}

/* time_ns: of a pause; 0: it is none. */
static COLD int leat__sock_risk_wait(struct leat__sock *s, enum leat__poll_dir dir, leat_ctx *ctx,
                                     int64_t time_ns)
{
	struct risk r = {s, leat__sock_end, dir};
	int err;
	LEAT_DEFER(leat__sock_undo, &r);

	err = time_ns ? leat__sock_await_pause(s, dir, ctx, time_ns) : leat__sock_await(s, dir, ctx);
	r.undo = NULL;
	return err;
}

/*
 * A stream's socket that gave less than was asked for is empty, so the next read need not try first: that is one of the
 * system calls of a request.  Bytes that come after the short read make an edge of their own, which wakes who waits or leaves
 * READY for who is about to.  Not so what had come before it, and was told by the edge that led to it: the end, behind the
 * last bytes; an error; what follows urgent data, at which a read stops.  These come with an edge that says so and that the
 * poll descriptor remembers before it passes it on, so leat__pd_told_last is seen by who finds no READY.  Were the edge
 * still on its way, READY would come with it.
 * Unix sockets stop at descriptors that are passed, and what a program does to a descriptor that it asked for (SO_RCVLOWAT,
 * TLS in the kernel) nobody knows: those are never taken for empty (stream).
 */
ssize_t leat__sock_read(struct leat__sock *s, void *to, size_t bytes, leat_ctx *ctx)
{
	int err = leat__sock_begin(s, LEAT__POLL_READ, ctx);
	bool stream = load_relaxed(&s->stream);
	ssize_t n = 0;

	if (unlikely(err))
		return err;
	if (leat__sock_at_end(s)) {
		leat__sock_end(s, LEAT__POLL_READ);
		return 0;
	}
	if (s->drained && stream && !leat__pd_told_last(s->pd))
		err = leat__sock_wait(s, LEAT__POLL_READ, ctx);
	while (!err && (n = leat__sock_said(s, stream ? leat__os_recv(s->fd, to, bytes)
	                                              : leat__os_read(s->fd, to, bytes))) == -EAGAIN)
		err = leat__sock_wait(s, LEAT__POLL_READ, ctx);
	if (likely(!err))
		s->drained = n > 0 && (size_t)n < bytes && load_relaxed(&s->stream);
	leat__sock_end(s, LEAT__POLL_READ);
	return err ? err : n;
}

int leat__sock_again(struct leat__sock *s, enum leat__poll_dir dir)
{
	return from_poller(leat__pd_prepare(s->pd, dir));
}

int leat__sock_read_nothing(struct leat__sock *s)
{
	int err = leat__sock_hold(s);

	if (!err)
		leat__sock_let_go(s);
	return err;
}

int leat__sock_set_deadline(struct leat__sock *s, enum leat__poll_dir dir, int64_t at_ns)
{
	struct leat__m *m;
	int err = leat__sock_hold(s);

	if (err)
		return err;
	m = leat__enter();
	err = leat__pd_set_deadline(m, s->pd, dir, at_ns == LEAT_FOREVER ? INT64_MAX : at_ns);
	leat__pd_drop(m, s->pd);
	leat__leave(m);
	return from_poller(err);
}

int leat__sock_close(struct leat__sock *s)
{
	if (atomic_exchange_explicit(&s->closed, true, memory_order_acq_rel))
		return -EBADF;
	/* First the name, so that none of those who come finds a socket that is about to go. */
	if (s->file && s->forks == leat__sched.forks)
		leat__os_unlink(s->local.leat__unix.sun_path);
	return leat_close_fd(s->fd);
}

/* Take n bytes off the pieces; those of which nothing is left, too. */
static void advance(struct msghdr *msg, size_t n)
{
	for (; msg->msg_iovlen && n >= msg->msg_iov->iov_len; msg->msg_iov++, msg->msg_iovlen--)
		n -= msg->msg_iov->iov_len;
	if (n) {
		msg->msg_iov->iov_base = (char *)msg->msg_iov->iov_base + n;
		msg->msg_iov->iov_len -= n;
	}
}

/* The pieces of msg are the caller's to change. */
static int leat__sock_send_pieces(struct leat__sock *s, struct msghdr *msg, leat_ctx *ctx,
                                  size_t *written)
{
	ssize_t n;
	int err;

	while (msg->msg_iovlen) {
		while ((n = leat__os_sendmsg(s->fd, msg)) == -EAGAIN) {
			err = leat__sock_wait(s, LEAT__POLL_WRITE, ctx);
			if (err)
				return err;
		}
		if (n < 0)
			return (int)leat__sock_said(s, n);
		*written += (size_t)n;
		advance(msg, (size_t)n);
		msg->msg_controllen = 0; /* went with the first byte */
	}
	return 0;
}

int leat__sock_send_all(struct leat__sock *s, struct msghdr *msg, leat_ctx *ctx, size_t *written)
{
	const struct iovec *parts = msg->msg_iov;
	size_t left = msg->msg_iovlen;
	struct iovec some[IOV_LOCAL];
	int err;

	if (s->records)
		return leat__record_send(s, msg, ctx, written);
	err = leat__sock_begin(s, LEAT__POLL_WRITE, ctx);
	*written = 0;
	if (err)
		return err;
	while (!err && left) {
		size_t n = left < IOV_LOCAL ? left : IOV_LOCAL;

		for (size_t i = 0; i < n; i++)
			some[i] = parts[i];
		msg->msg_iov = some;
		msg->msg_iovlen = n;
		advance(msg, 0); /* empty ones */
		err = leat__sock_send_pieces(s, msg, ctx, written);
		parts += n;
		left -= n;
	}
	leat__sock_end(s, LEAT__POLL_WRITE);
	return err;
}

static void ask(int fd, leat_addr *a, int (*call)(int, struct sockaddr *, socklen_t *))
{
	*a = (leat_addr){.bytes = sizeof a->leat__room};
	if (call(fd, &a->any, &a->bytes) != 0 || a->bytes > sizeof a->leat__room)
		a->bytes = 0;
	else
		leat__addr_unmap(a);
}

void leat__sock_addresses(struct leat__sock *s)
{
	ask(s->fd, &s->local, leat__os_local);
	ask(s->fd, &s->remote, leat__os_remote);
}
