/* SPDX-License-Identifier: MIT */
/*
 * TLS as a kind of connection.  Who waits, and for what, is in tls_engine.c.
 *
 * Those at work in a connection are counted in users: a close wakes them, by closing what is underneath, and waits until
 * they have left.  The memory goes with the last of its owner and of them, who count in refs until they have unlocked it.
 *
 * Any wait may panic (no memory, or what the program does in a context, or in the connection underneath): what each function
 * has taken it gives back by way of a deferred function, so that those of its callers find lock held, as it was.
 */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include "io/sock.h"

#include <leat/defer.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RECORD (size_t)16384
#define BATCH  (4 * RECORD) /* that is written underneath at once */

#define MANY_ANSWERS (size_t)(2 * BATCH)

void leat__tls_release(struct leat__tls *t)
{
	if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) != 1)
		return;
	leat__san_blind_begin();
	if (t->ssl)
		ossl->SSL_free(t->ssl);
	ossl->X509_free(t->refused);
	if (t->session)
		ossl->SSL_SESSION_free(t->session);
	leat__san_blind_end();
	leat_tls_config_free(t->config);
	leat_error_free(t->why);
	leat__tls_state_free(t->state);
	leat__tls_buffer_free(&t->in);
	leat__tls_buffer_free(&t->out);
	leat__tls_buffer_free(&t->sent);
	free(t->server_name);
	free(t);
}

bool leat__tls_enter(struct leat__tls *t)
{
	bool open;

	leat_mutex_lock(&t->lock);
	open = !t->closed;
	if (open) {
		t->users++;
		fetch_add_relaxed(&t->refs, 1);
	} else {
		leat_mutex_unlock(&t->lock);
	}
	return open;
}

void leat__tls_leave(struct leat__tls *t)
{
	t->users--;
	if (t->closed)
		leat_cond_broadcast(&t->changed);
	leat_mutex_unlock(&t->lock);
	leat__tls_release(t);
}

/* Who has the turn ends with the same deadline and the same close.  lock is held, before and after. */
static int leat__tls_turn(struct leat__tls *t, leat_mutex *turn, leat_ctx *ctx)
{
	if (leat_mutex_trylock(turn))
		return 0;
	leat_mutex_unlock(&t->lock);
	LEAT_DEFER(leat_mutex_lock, &t->lock);
	return leat_mutex_lock_ctx(turn, (leat_any_ctx)ctx);
}

/* --- reading */

/*
 * What was read may want an answer: new keys, or that there is no renegotiation.  Who writes takes it along.  Who floods us
 * with such questions is not read any further while he takes no answers.
 */
static void leat__tls_answer(struct leat__tls *t, leat_ctx *ctx)
{
	if (t->out.end <= t->unhurried || t->write_err)
		return;
	if (!leat_mutex_trylock(&t->writing) &&
	    (t->out.end < MANY_ANSWERS || leat__tls_turn(t, &t->writing, ctx)))
		return;
	LEAT_DEFER(leat_mutex_unlock, &t->writing);
	leat__tls_flush(t, ctx);
}

/* With the turn. */
static ssize_t leat__tls_take(struct leat__tls *t, void *to, size_t bytes, leat_ctx *ctx)
{
	size_t n = 0;
	int err;

	while (!(err = leat__tls_verdict(t, t->read_at, ctx)) && bytes) {
		enum leat__tls_step step;

		if (t->shut_read)
			return 0;
		if (t->read_err)
			return t->read_err;
		step = leat__tls_decrypt(t, to, bytes, &n);
		if (step == LEAT__TLS_DONE)
			return (ssize_t)n;
		if (step == LEAT__TLS_ENDED)
			return 0;
		if (step == LEAT__TLS_BROKEN) {
			leat__tls_last_words(t, false);
			return t->read_err;
		}
		leat__tls_answer(t, ctx);
		err = leat__tls_fill(t, &t->read_at, ctx);
		if (err)
			return t->shut_read && err != -EBADF ? 0 : err;
	}
	return err;
}

static ssize_t leat__tls_read(leat_conn *c, void *to, size_t bytes, leat_ctx *ctx)
{
	struct leat__tls *t = leat__tls_of(c);
	ssize_t n;

	if (!leat__tls_enter(t))
		return -EBADF;
	LEAT_DEFER(leat__tls_leave, t);
	n = leat__tls_ready(t, ctx);
	if (!n)
		n = leat__tls_turn(t, &t->reading, ctx);
	if (n)
		return n;
	LEAT_DEFER(leat_mutex_unlock, &t->reading);
	return leat__tls_take(t, to, bytes, ctx);
}

/* --- writing */

/* Pieces, and how far they have been taken. */
struct pieces {
	const struct iovec *parts;
	int n;
	size_t at; /* in the first */
	unsigned char *scratch;
};

/* The next bytes, up to a record: small pieces are put together, for each record costs 22 bytes and a call.  0: no more. */
static size_t next_bytes(struct pieces *p, const void **from)
{
	size_t n = 0;

	while (p->n && p->at == p->parts->iov_len) {
		p->parts++;
		p->n--;
		p->at = 0;
	}
	if (!p->n)
		return 0;
	*from = (const char *)p->parts->iov_base + p->at;
	if (p->n == 1 || p->parts->iov_len - p->at >= RECORD)
		return p->parts->iov_len - p->at < RECORD ? p->parts->iov_len - p->at : RECORD;
	if (!p->scratch)
		p->scratch = malloc(RECORD);
	if (!p->scratch) /* then as they are */
		return p->parts->iov_len - p->at;
	for (size_t at = p->at, i = 0; i < (size_t)p->n && n < RECORD; i++, at = 0) {
		size_t part = p->parts[i].iov_len - at;

		part = part < RECORD - n ? part : RECORD - n;
		if (part)
			memcpy(p->scratch + n, (const char *)p->parts[i].iov_base + at, part);
		n += part;
	}
	*from = p->scratch;
	return n;
}

static void advance(struct pieces *p, size_t n)
{
	while (n) {
		size_t part = p->parts->iov_len - p->at;

		part = part < n ? part : n;
		p->at += part;
		n -= part;
		if (n) {
			p->parts++;
			p->n--;
			p->at = 0;
		}
	}
}

static int leat__tls_put(struct leat__tls *t, struct pieces *p, leat_ctx *ctx, size_t *written)
{
	int err = 0;

	while (!err) {
		const void *from;
		size_t bytes = next_bytes(p, &from), n = 0;
		enum leat__tls_step step;

		if (!bytes)
			return leat__tls_flush(t, ctx);
		if (!leat__tls_reserve(t, bytes)) {
			err = leat__tls_flush(t, ctx);
			return err ? err : -ENOMEM;
		}
		step = leat__tls_encrypt(t, from, bytes, &n);
		if (step == LEAT__TLS_DONE) {
			advance(p, n);
			*written += n;
			if (t->out.end >= BATCH)
				err = leat__tls_flush(t, ctx);
		} else if (step == LEAT__TLS_WANT) {
			err = leat__tls_fill(t, &t->write_at, ctx);
		} else {
			leat__tls_last_words(t, true);
			return t->write_err ? t->write_err : -EPIPE;
		}
		if (!err)
			err = leat__tls_verdict(t, t->write_at, ctx);
	}
	return err;
}

static void free_scratch(struct pieces *p)
{
	free(p->scratch);
}

/* With the turn. */
static void leat__tls_pass(struct leat__tls *t)
{
	if (!t->given_up) {
		leat__tls_buffer_free(&t->sent);
		if (!t->out.end)
			leat__tls_buffer_free(&t->out);
	}
	leat_mutex_unlock(&t->writing);
}

static int leat__tls_write(leat_conn *c, const struct iovec *parts, int n, leat_ctx *ctx,
                           size_t *written)
{
	struct leat__tls *t = leat__tls_of(c);
	struct pieces p = {.parts = parts, .n = n};
	int err;
	LEAT_DEFER(free_scratch, &p);

	*written = 0;
	if (!leat__tls_enter(t))
		return -EBADF;
	LEAT_DEFER(leat__tls_leave, t);
	err = leat__tls_ready(t, ctx);
	if (!err)
		err = leat__tls_turn(t, &t->writing, ctx);
	if (err)
		return err;
	LEAT_DEFER(leat__tls_pass, t);
	err = leat__tls_verdict(t, t->write_at, ctx);
	if (!err)
		err = t->shut_write ? -EPIPE : t->write_err;
	if (!err && t->given_up)
		err = leat__tls_flush(t, ctx);
	return err ? err : leat__tls_put(t, &p, ctx, written);
}

/* --- deadlines, and ending */

static int leat__tls_set_deadline(leat_conn *c, enum leat_conn_side sides, int64_t at_ns)
{
	struct leat__tls *t = leat__tls_of(c);
	int64_t read_at, write_at;
	int err;

	if (!leat__tls_enter(t))
		return -EBADF;
	LEAT_DEFER(leat__tls_leave, t);
	read_at = sides & LEAT_CONN_READ ? at_ns : t->read_at;
	write_at = sides & LEAT_CONN_WRITE ? at_ns : t->write_at;
	err = leat__tls_pass_deadlines(t, sides, read_at, write_at, t->ready);
	if (!err) {
		t->read_at = read_at;
		t->write_at = write_at;
	}
	leat_cond_broadcast(&t->changed);
	return err;
}

static int leat__tls_shut_write(struct leat__tls *t)
{
	int err;

	if (!t->ready)
		return -ENOTCONN;
	err = leat__tls_turn(t, &t->writing, NULL);
	if (err)
		return err;
	LEAT_DEFER(leat_mutex_unlock, &t->writing);
	err = leat__tls_verdict(t, t->write_at, NULL);
	if (!err)
		err = t->write_err;
	if (!err && !t->shut_write) {
		t->shut_write = true;
		leat__tls_farewell(t);
	}
	return err ? err : leat__tls_flush(t, NULL);
}

static int leat__tls_shut(leat_conn *c, enum leat_conn_side sides)
{
	struct leat__tls *t = leat__tls_of(c);
	int err = 0;

	if (!leat__tls_enter(t))
		return -EBADF;
	LEAT_DEFER(leat__tls_leave, t);
	if (sides & LEAT_CONN_READ) {
		t->shut_read = true;
		leat_cond_broadcast(&t->changed);
		err = leat_conn_close_read(t->under);
	}
	if (!err && sides & LEAT_CONN_WRITE)
		err = leat__tls_shut_write(t);
	return err;
}

/* Where somebody is in the middle of a write, or the other side has not read all that was written before, to say farewell
   would only keep the caller waiting. */
static void leat__tls_part(struct leat__tls *t)
{
	if (!t->ready || t->given_up || t->write_err || !leat_mutex_trylock(&t->writing))
		return;
	LEAT_DEFER(leat_mutex_unlock, &t->writing);
	if (!t->shut_write)
		leat__tls_farewell(t);
	leat__tls_last_words(t, true);
}

struct closing {
	struct leat__tls *t;
	int err;
};

static void leat__tls_end(struct closing *c)
{
	struct leat__tls *t = c->t;

	leat_mutex_unlock(&t->lock);
	c->err = leat_conn_close(t->under);
	leat_mutex_lock(&t->lock);
	while (t->users)
		leat_cond_wait(&t->changed, &t->lock);
	leat_mutex_unlock(&t->lock);
}

static int leat__tls_close(leat_conn *c)
{
	struct leat__tls *t = leat__tls_of(c);
	struct closing closing = {.t = t};

	leat_mutex_lock(&t->lock);
	if (t->closed) {
		leat_mutex_unlock(&t->lock);
		return -EBADF;
	}
	t->closed = true;
	leat_cond_broadcast(&t->changed);
	{
		LEAT_DEFER(leat__tls_end, &closing); /* whatever comes of the farewell */
		leat__tls_part(t);
	}
	return closing.err;
}

static void leat__tls_free(leat_conn *c)
{
	struct leat__tls *t = leat__tls_of(c);

	leat_conn_free(t->under);
	leat__tls_release(t);
}

/* --- asked */

static leat_addr leat__tls_local(leat_conn *c)
{
	return leat_conn_local(leat__tls_of(c)->under);
}

static leat_addr leat__tls_remote(leat_conn *c)
{
	return leat_conn_remote(leat__tls_of(c)->under);
}

static int leat__tls_fd(leat_conn *c)
{
	leat_conn *under = leat__tls_of(c)->under;

	/* A close of c closes that, and it says so. */
	return under->ops->fd ? under->ops->fd(under) : -1;
}

static const leat_error *leat__tls_what(leat_conn *c, int err)
{
	struct leat__tls *t = leat__tls_of(c);
	const struct leat__sock *s = leat__conn_sock(t->under);
	char words[LEAT__IO_WORDS];
	const leat_error *why;
	leat_error *silent;

	if (s && leat__sock_gave_up(s, err)) {
		silent = leat_errorf(NULL, "%s", leat__system_words(err, words));
		leat_error_set_code(silent, err);
		return silent;
	}
	leat_mutex_lock(&t->lock);
	why = t->why && leat_error_code(t->why) == err ? leat_error_retain(t->why) : NULL;
	leat_mutex_unlock(&t->lock);
	return why;
}

const leat_conn_ops leat__tls_ops = {
    .network = "tls",
    .read = leat__tls_read,
    .write = leat__tls_write,
    .set_deadline = leat__tls_set_deadline,
    .shut = leat__tls_shut,
    .close = leat__tls_close,
    .free = leat__tls_free,
    .local = leat__tls_local,
    .remote = leat__tls_remote,
    .fd = leat__tls_fd,
    .what = leat__tls_what,
};

#endif
