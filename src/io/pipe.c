/* SPDX-License-Identifier: MIT */
/*
 * A pair of connections in memory.
 *
 * Each direction is a stream: what a writer offers lies where the writer has it, and readers copy it from there, so a write
 * returns when all was read.  Everything is under the lock of the pair, and each change is broadcast to those who wait in
 * the stream; they look at all that could end their wait, time included, whenever they are woken.
 *
 * Who uses an end is counted in users: a close waits until they have left.  The pair goes with the last of its ends and of
 * those who use them, who count in refs until after they have unlocked it.
 *
 * Any wait may panic, as may asking a context (no memory, or the program's own context): what an operation has taken it gives
 * back by way of a deferred function, which finds the pair locked.
 *
 * In the child of a fork nobody of those is there, and who offered something has left it on a stack that serves another: the
 * first who uses the pair there begins it anew (leat__pipe_forked).
 */
#include "io/sock.h"

#include <leat/cond.h>
#include <leat/defer.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct stream {
	leat_cond changed;
	leat_mutex turn; /* to write */
	const char *data;
	size_t left;               /* of it, offered and not read */
	bool ended;                /* the writing end writes no more */
	bool refused;              /* the reading end reads no more */
	int64_t read_at, write_at; /* deadlines */
};

struct end {
	leat_conn conn;
	struct pair *pair;
	bool closed;
	bool freed; /* read in the child of a fork alone */
	int users;
	leat_cond left; /* a user has */
};

struct pair {
	leat_mutex lock;
	struct end ends[2];
	struct stream streams[2]; /* by the end that reads */
	_Atomic int refs;
	uint8_t settling; /* inside the runtime, so no fork leaves it locked */
	_Atomic unsigned
	    forks; /* that led to the process in which it was used last; changes under settling */
};

static struct end *end_of(leat_conn *c)
{
	return container_of(c, struct end, conn);
}

static struct stream *reads(struct end *e)
{
	return &e->pair->streams[e == &e->pair->ends[1]];
}

static struct stream *writes(struct end *e)
{
	return &e->pair->streams[e == &e->pair->ends[0]];
}

static void release(struct pair *p)
{
	if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) == 1)
		free(p);
}

static void settle_end(struct end *e)
{
	struct stream *s = reads(e);

	s->changed = (leat_cond){0};
	s->turn = (leat_mutex){0};
	s->data = NULL;
	s->left = 0;
	e->left = (leat_cond){0};
	e->users = 0;
	/* Who was closing it may not have come that far. */
	if (e->closed)
		reads(e)->refused = writes(e)->ended = true;
}

static COLD void leat__pipe_forked(struct pair *p)
{
	struct leat__m *m = leat__enter();

	leat__lock(&p->settling);
	if (load_relaxed(&p->forks) != leat__sched.forks) {
		p->lock = (leat_mutex){0};
		for (int i = 0; i < 2; i++)
			settle_end(&p->ends[i]);
		store_relaxed(&p->refs, !p->ends[0].freed + !p->ends[1].freed);
		atomic_store_explicit(&p->forks, leat__sched.forks, memory_order_release);
	}
	leat__unlock(&p->settling);
	leat__leave(m);
}

static void leat__pipe_lock(struct pair *p)
{
	if (unlikely(load_acquire(&p->forks) != leat__sched.forks))
		leat__pipe_forked(p);
	leat_mutex_lock(&p->lock);
}

/* Begin to use e, and lock the pair; false: it is closed, and nothing was done. */
static bool leat__pipe_enter(struct end *e)
{
	bool open;

	leat__pipe_lock(e->pair);
	open = !e->closed;
	if (open) {
		e->users++;
		fetch_add_relaxed(&e->pair->refs, 1);
	} else {
		leat_mutex_unlock(&e->pair->lock);
	}
	return open;
}

/* The pair is locked, and is not any more. */
static void leat__pipe_leave(struct end *e)
{
	struct pair *p = e->pair;

	e->users--;
	if (e->closed)
		leat_cond_broadcast(&e->left);
	leat_mutex_unlock(&p->lock);
	release(p);
}

/* What ends a wait of e's with this deadline, or would: 0 or an error. */
static int verdict(const struct end *e, int64_t at, leat_ctx *ctx)
{
	if (e->closed)
		return -EBADF;
	if (at != LEAT_FOREVER && (at <= 0 || leat_now() >= at))
		return -ETIMEDOUT;
	return leat_ctx_err((leat_any_ctx)ctx);
}

/* Until s has changed, at, or the end of ctx. */
static void leat__pipe_wait(struct end *e, struct stream *s, int64_t at, leat_ctx *ctx)
{
	int64_t left = at == LEAT_FOREVER ? LEAT_FOREVER : at - leat_now();

	/* Never without a wait: the pair would stay locked by who looks again and again. */
	if (left <= 0)
		return;
	LEAT_CHAN_SELECT {
		LEAT_CASE_COND(&s->changed, &e->pair->lock);
		LEAT_CASE_RECV(leat_ctx_done((leat_any_ctx)ctx))
			;
		LEAT_CASE_TIMEOUT(left)
			;
	}
}

static ssize_t leat__pipe_read(leat_conn *c, void *to, size_t bytes, leat_ctx *ctx)
{
	struct end *e = end_of(c);
	struct stream *s = reads(e);
	size_t n = 0;
	int err;

	if (!leat__pipe_enter(e))
		return -EBADF;
	LEAT_DEFER(leat__pipe_leave, e);
	while (!(err = verdict(e, s->read_at, ctx)) && bytes && !s->left && !s->ended && !s->refused)
		leat__pipe_wait(e, s, s->read_at, ctx);
	if (!err && s->left && !s->refused) {
		n = s->left < bytes ? s->left : bytes;
		memcpy(to, s->data, n);
		s->data += n;
		s->left -= n;
		if (!s->left)
			leat_cond_broadcast(&s->changed);
	}
	return err ? err : (ssize_t)n;
}

/* A write: where it stands when it ends, in whichever way. */
struct writing {
	struct end *e;
	size_t *written;
	size_t offered; /* of the piece that is there to be read; 0: none is */
};

/* What was not read of a piece is taken back. */
static void withdraw(struct writing *w)
{
	struct stream *s = writes(w->e);

	*w->written += w->offered - s->left;
	w->offered = 0;
	s->data = NULL;
	s->left = 0;
}

/* One piece; the caller has the turn, and the pair is locked. */
static int leat__pipe_offer(struct writing *w, const struct iovec *part, leat_ctx *ctx)
{
	struct end *e = w->e;
	struct stream *s = writes(e);
	int err = verdict(e, s->write_at, ctx);

	if (!err && (s->ended || s->refused))
		err = -EPIPE;
	if (err || !part->iov_len)
		return err;
	s->data = part->iov_base;
	s->left = w->offered = part->iov_len;
	leat_cond_broadcast(&s->changed);
	while (s->left && !err) {
		err = s->ended || s->refused ? -EPIPE : 0;
		if (verdict(e, s->write_at, ctx))
			err = verdict(e, s->write_at, ctx);
		if (!err)
			leat__pipe_wait(e, s, s->write_at, ctx);
	}
	if (!s->left)
		err = 0;
	withdraw(w);
	return err;
}

/* With the turn. */
static void leat__pipe_pass(struct writing *w)
{
	if (w->offered)
		withdraw(w);
	leat_mutex_unlock(&writes(w->e)->turn);
}

/* Whose turn it is ends with the same deadline and the same close.  The pair is locked, before and after. */
static int leat__pipe_turn(struct end *e, leat_ctx *ctx)
{
	leat_mutex *turn = &writes(e)->turn;

	if (leat_mutex_trylock(turn))
		return 0;
	leat_mutex_unlock(&e->pair->lock);
	LEAT_DEFER(leat_mutex_lock, &e->pair->lock);
	return leat_mutex_lock_ctx(turn, (leat_any_ctx)ctx);
}

static int leat__pipe_write(leat_conn *c, const struct iovec *parts, int n, leat_ctx *ctx,
                            size_t *written)
{
	struct end *e = end_of(c);
	struct writing w = {.e = e, .written = written};
	int err;

	*written = 0;
	if (!leat__pipe_enter(e))
		return -EBADF;
	LEAT_DEFER(leat__pipe_leave, e);
	err = leat__pipe_turn(e, ctx);
	if (err)
		return err;
	LEAT_DEFER(leat__pipe_pass, &w);
	err = n ? 0 : verdict(e, writes(e)->write_at, ctx);
	for (int i = 0; i < n && !err; i++)
		err = leat__pipe_offer(&w, &parts[i], ctx);
	return err;
}

static int leat__pipe_deadline(leat_conn *c, enum leat_conn_side sides, int64_t at_ns)
{
	struct end *e = end_of(c);

	if (!leat__pipe_enter(e))
		return -EBADF;
	if (sides & LEAT_CONN_READ) {
		reads(e)->read_at = at_ns;
		leat_cond_broadcast(&reads(e)->changed);
	}
	if (sides & LEAT_CONN_WRITE) {
		writes(e)->write_at = at_ns;
		leat_cond_broadcast(&writes(e)->changed);
	}
	leat__pipe_leave(e);
	return 0;
}

/* Locked. */
static void end_sides(struct end *e, enum leat_conn_side sides)
{
	if (sides & LEAT_CONN_READ) {
		reads(e)->refused = true;
		leat_cond_broadcast(&reads(e)->changed);
	}
	if (sides & LEAT_CONN_WRITE) {
		writes(e)->ended = true;
		leat_cond_broadcast(&writes(e)->changed);
	}
}

static int leat__pipe_shut(leat_conn *c, enum leat_conn_side sides)
{
	struct end *e = end_of(c);

	if (!leat__pipe_enter(e))
		return -EBADF;
	end_sides(e, sides);
	leat__pipe_leave(e);
	return 0;
}

static int leat__pipe_close(leat_conn *c)
{
	struct end *e = end_of(c);
	bool first;

	leat__pipe_lock(e->pair);
	first = !e->closed;
	e->closed = true;
	if (first)
		end_sides(e, LEAT_CONN_READ | LEAT_CONN_WRITE);
	while (first && e->users)
		leat_cond_wait(&e->left, &e->pair->lock);
	leat_mutex_unlock(&e->pair->lock);
	return first ? 0 : -EBADF;
}

static void leat__pipe_free(leat_conn *c)
{
	end_of(c)->freed = true;
	release(end_of(c)->pair);
}

static const leat_conn_ops pipe_ops = {
    .network = "pipe",
    .read = leat__pipe_read,
    .write = leat__pipe_write,
    .set_deadline = leat__pipe_deadline,
    .shut = leat__pipe_shut,
    .close = leat__pipe_close,
    .free = leat__pipe_free,
};

bool leat_conn_pipe(leat_conn **a, leat_conn **b)
{
	struct pair *p = calloc(1, sizeof *p);

	if (!p)
		return false;
	store_relaxed(&p->refs, 2);
	store_relaxed(&p->forks, leat__sched.forks);
	for (int i = 0; i < 2; i++) {
		p->ends[i].conn.ops = &pipe_ops;
		p->ends[i].pair = p;
		p->streams[i].read_at = p->streams[i].write_at = LEAT_FOREVER;
	}
	*a = &p->ends[0].conn;
	*b = &p->ends[1].conn;
	return true;
}
