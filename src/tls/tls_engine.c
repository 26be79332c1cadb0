/* SPDX-License-Identifier: MIT */
/*
 * OpenSSL's side of a connection.
 *
 * An SSL object belongs to one thread at a time, while a connection reads and writes at once, and who waits to read must not
 * keep anybody from writing.  So OpenSSL never touches the network: its BIO takes bytes out of one buffer and puts them into
 * another, calls of it are made under the connection's lock, take microseconds and never wait, and what waits is here,
 * without the lock.  A BIO of our own, not two of OpenSSL's in memory: those copy once more, and keep their memory; and not
 * one that reads underneath: OpenSSL would park inside, with the lock held.
 *
 * OpenSSL keeps its errors by thread, and a goroutine that parks goes on on another one.  Hence each call of it begins by
 * clearing the queue, and what went wrong is taken from there before anything can park; nothing of the program's is called
 * inside: the configuration for a name is asked for outside, with OpenSSL suspended (SSL_CLIENT_HELLO_RETRY), and a session
 * that is to be kept is put aside.
 *
 * One at a time reads underneath (filling): a reader, who makes the handshake, or a writer in the middle of whose call the
 * rest of a message has to come first.  The others wait for `changed`, look again, and one of them goes on when that one
 * gives up.
 *
 * The bytes that come first after a pause go into a small buffer, which is all that an idle connection has: only when it was
 * filled is the next a large one.
 */
#include "tls/tls.h"

#if LEAT__OPENSSL

#include <leat/select.h>
#include <leat/time.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SMALL (size_t)1024
#define LARGE (size_t)(32 << 10)

/* What a record has besides its bytes, at most, as RFC 8446 and 5246 allow. */
#define RECORD_BYTES    16384
#define RECORD_OVERHEAD 256

#define LAST_WORDS_TIME (5 * LEAT_SECOND) /* as Go's */

/* --- buffers */

void leat__tls_buffer_free(struct leat__tls_buffer *b)
{
	free(b->bytes);
	*b = (struct leat__tls_buffer){0};
}

/* Room for n more bytes. */
static bool grow(struct leat__tls_buffer *b, size_t n)
{
	size_t room = b->room ? b->room : 512;
	unsigned char *bytes;

	while (room - b->end < n)
		room *= 2;
	if (room == b->room)
		return true;
	bytes = realloc(b->bytes, room);
	if (!bytes)
		return false;
	b->bytes = bytes;
	b->room = room;
	return true;
}

bool leat__tls_reserve(struct leat__tls *t, size_t n)
{
	return grow(&t->out, n + (n / RECORD_BYTES + 1) * RECORD_OVERHEAD);
}

/* --- OpenSSL's BIO */

static int bio_write(BIO *b, const char *from, size_t bytes, size_t *n)
{
	struct leat__tls *t = ossl->BIO_get_data(b);

	ossl->BIO_clear_flags(b, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
	if (!grow(&t->out, bytes)) {
		t->no_memory = true;
		return 0;
	}
	memcpy(t->out.bytes + t->out.end, from, bytes);
	t->out.end += bytes;
	*n = bytes;
	return 1;
}

static int bio_read(BIO *b, char *to, size_t bytes, size_t *n)
{
	struct leat__tls *t = ossl->BIO_get_data(b);
	size_t there = t->in.end - t->in.at;

	ossl->BIO_clear_flags(b, BIO_FLAGS_RWS | BIO_FLAGS_SHOULD_RETRY);
	/* Of in, while somebody fills it, only the lock's holder knows, and it is empty. */
	if (t->filling || !there) {
		ossl->BIO_set_flags(b, BIO_FLAGS_READ | BIO_FLAGS_SHOULD_RETRY);
		return 0;
	}
	*n = there < bytes ? there : bytes;
	memcpy(to, t->in.bytes + t->in.at, *n);
	t->in.at += *n;
	return 1;
}

static long bio_ctrl(BIO *b, int what, long number, void *arg)
{
	(void)b, (void)number, (void)arg;
	return what == BIO_CTRL_FLUSH;
}

static BIO_METHOD *bio_method; /* set once */

static void make_bio_method(void *unused)
{
	BIO_METHOD *m =
	    ossl->BIO_meth_new(ossl->BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "leat connection");

	(void)unused;
	if (!m)
		return;
	ossl->BIO_meth_set_write_ex(m, bio_write);
	ossl->BIO_meth_set_read_ex(m, bio_read);
	ossl->BIO_meth_set_ctrl(m, bio_ctrl);
	bio_method = m;
}

int leat__tls_engine_make(struct leat__tls *t, leat_tls_config *config)
{
	static leat_once made;
	BIO *bio;

	leat_once_do(&made, make_bio_method, NULL);
	leat__san_blind_begin();
	t->ssl = bio_method ? ossl->SSL_new(config->ctx) : NULL;
	leat__san_blind_end();
	bio = t->ssl ? ossl->BIO_new(bio_method) : NULL;
	if (!bio)
		return -ENOMEM;
	ossl->BIO_set_data(bio, t);
	ossl->BIO_set_init(bio, 1);
	ossl->SSL_set_bio(t->ssl, bio, bio);
	if (!ossl->SSL_set_ex_data(t->ssl, 0, t) || !leat__tls_config_apply(config, t))
		return -ENOMEM;
	if (t->server)
		ossl->SSL_set_accept_state(t->ssl);
	else
		ossl->SSL_set_connect_state(t->ssl);
	return 0;
}

/* --- calls of OpenSSL's */

/* ThreadSanitizer sees what OpenSSL copies, and not what orders it: that each thread has its own random numbers, for one. */
static void begin(struct leat__tls *t)
{
	leat__san_blind_begin();
	ossl->ERR_clear_error();
	t->no_memory = false;
}

/* What the call came to; right after it. */
static enum leat__tls_step look(struct leat__tls *t, int result)
{
	const leat_error *why;
	int err = -EPROTO;

	switch (ossl->SSL_get_error(t->ssl, result)) {
	case SSL_ERROR_NONE:
		return LEAT__TLS_DONE;
	case SSL_ERROR_WANT_READ:
		return LEAT__TLS_WANT;
	case SSL_ERROR_WANT_CLIENT_HELLO_CB:
		return LEAT__TLS_CHOOSE;
	case SSL_ERROR_ZERO_RETURN:
		return LEAT__TLS_ENDED;
	}
	why = leat__tls_why(t, &err);
	if (t->why)
		leat_error_free(why);
	else
		t->why = why;
	t->read_err = t->read_err ? t->read_err : err;
	t->write_err = t->write_err ? t->write_err : err;
	return LEAT__TLS_BROKEN;
}

/* What came in the call. */
static void keep_session(struct leat__tls *t)
{
	SSL_SESSION *session = t->session;

	t->session = NULL;
	if (session)
		leat__tls_session_keep(t->config, t->server_name, session);
}

static enum leat__tls_step end(struct leat__tls *t, int result)
{
	enum leat__tls_step step = look(t, result);

	leat__san_blind_end();
	keep_session(t);
	return step;
}

enum leat__tls_step leat__tls_decrypt(struct leat__tls *t, void *to, size_t bytes, size_t *n)
{
	begin(t);
	return end(t, ossl->SSL_read_ex(t->ssl, to, bytes, n));
}

enum leat__tls_step leat__tls_encrypt(struct leat__tls *t, const void *from, size_t bytes,
                                      size_t *n)
{
	begin(t);
	return end(t, ossl->SSL_write_ex(t->ssl, from, bytes, n));
}

/* A result of 0 says that the other side has not said it yet. */
enum leat__tls_step leat__tls_farewell(struct leat__tls *t)
{
	int result;

	begin(t);
	result = ossl->SSL_shutdown(t->ssl);
	return end(t, result < 0 ? result : 1);
}

/* --- waiting */

/* LEAT_FOREVER is the latest of all instants. */
static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int leat__tls_verdict(const struct leat__tls *t, int64_t at, leat_ctx *ctx)
{
	if (t->closed)
		return -EBADF;
	if (at != LEAT_FOREVER && (at <= 0 || leat_now() >= at))
		return -ETIMEDOUT;
	return leat_ctx_err((leat_any_ctx)ctx);
}

/* Until t has changed, at, or the end of ctx. */
static void leat__tls_wait(struct leat__tls *t, int64_t at, leat_ctx *ctx)
{
	int64_t left = at == LEAT_FOREVER ? LEAT_FOREVER : at - leat_now();

	if (left <= 0)
		return;
	LEAT_CHAN_SELECT {
		LEAT_CASE_COND(&t->changed, &t->lock);
		LEAT_CASE_RECV(leat_ctx_done((leat_any_ctx)ctx))
			;
		LEAT_CASE_TIMEOUT(left)
			;
	}
}

static bool make_room(struct leat__tls *t)
{
	size_t room = t->plenty ? LARGE : SMALL;

	t->in.at = t->in.end = 0;
	if (t->in.room == room)
		return true;
	leat__tls_buffer_free(&t->in);
	t->in.bytes = malloc(room);
	t->in.room = t->in.bytes ? room : 0;
	return t->in.bytes;
}

static void leat__tls_filled(struct leat__tls *t)
{
	leat_mutex_lock(&t->lock);
	t->filling = false;
	leat_cond_broadcast(&t->changed);
}

static ssize_t leat__tls_read_under(struct leat__tls *t, leat_ctx *ctx)
{
	t->filling = true;
	leat_mutex_unlock(&t->lock);
	LEAT_DEFER(leat__tls_filled, t);
	return t->under->ops->read(t->under, t->in.bytes, t->in.room, ctx);
}

int leat__tls_fill(struct leat__tls *t, const int64_t *at, leat_ctx *ctx)
{
	ssize_t n;

	if (t->in.at < t->in.end && !t->filling) /* came since OpenSSL looked */
		return 0;
	if (t->under_ended)
		return -EPROTO;
	if (t->filling) {
		leat__tls_wait(t, *at, ctx);
		return leat__tls_verdict(t, *at, ctx);
	}
	if (!make_room(t))
		return -ENOMEM;
	n = leat__tls_read_under(t, ctx);
	if (n > 0) {
		if (!t->first_byte)
			t->first_byte = t->in.bytes[0];
		t->in.end = (size_t)n;
		t->plenty = (size_t)n == t->in.room || (t->plenty && (size_t)n > SMALL);
		return 0;
	}
	leat__tls_buffer_free(&t->in);
	t->under_ended = n == 0;
	return (int)n;
}

/* A write underneath. */
struct sending {
	struct leat__tls *t;
	size_t n; /* has gone */
	bool returned;
};

static void leat__tls_sent(struct sending *s)
{
	leat_mutex_lock(&s->t->lock);
	s->t->sent.at += s->n;
	s->t->given_up |= !s->returned;
}

static int leat__tls_write_under(struct leat__tls *t, leat_ctx *ctx)
{
	struct iovec part = {t->sent.bytes + t->sent.at, t->sent.end - t->sent.at};
	struct sending s = {.t = t};
	int err;
	LEAT_DEFER(leat__tls_sent, &s);

	leat_mutex_unlock(&t->lock);
	err = t->under->ops->write(t->under, &part, 1, ctx, &s.n);
	s.returned = true;
	return err;
}

int leat__tls_flush(struct leat__tls *t, leat_ctx *ctx)
{
	int err = 0;

	while (!err && (t->sent.at < t->sent.end || t->out.end)) {
		if (t->sent.at == t->sent.end) {
			struct leat__tls_buffer empty = t->sent;

			empty.at = empty.end = 0;
			t->sent = t->out;
			t->out = empty;
			t->unhurried = 0;
		}
		err = leat__tls_write_under(t, ctx);
	}
	t->given_up = err != 0;
	/* Time and contexts end a wait, not the connection; all else will not get better. */
	if (err && err != -ETIMEDOUT && err != -ECANCELED && !t->write_err)
		t->write_err = err;
	return err;
}

static void leat__tls_unlock(leat_mutex *turn)
{
	if (turn)
		leat_mutex_unlock(turn);
}

void leat__tls_last_words(struct leat__tls *t, bool have_turn)
{
	int64_t at = leat_now() + LAST_WORDS_TIME;
	leat_ctx *ctx = NULL;

	if (!have_turn && !leat_mutex_trylock(&t->writing))
		return;
	at = sooner(at, t->ready ? t->write_at : sooner(t->read_at, t->write_at));
	LEAT_DEFER(leat__tls_unlock, have_turn ? NULL : &t->writing);
	/* A kind without deadlines ends its waits with contexts. */
	if (leat_conn_set_write_deadline(t->under, at))
		ctx = leat_ctx_with_deadline((leat_any_ctx)leat_ctx_background(), at);
	LEAT_DEFER(leat_ctx_free, ctx);
	leat__tls_flush(t, ctx);
}

/* --- the handshake */

/*
 * A handshake reads and writes, whoever makes it, and is to end with either deadline; so until it is made both directions
 * have the earlier one.  All of this under the lock, as is the change of ready: whoever sets a deadline meanwhile, the
 * one that was set last counts.
 */
int leat__tls_pass_deadlines(struct leat__tls *t, enum leat_conn_side sides, int64_t read_at,
                             int64_t write_at, bool ready)
{
	const leat_conn_ops *under = t->under->ops;
	int err = 0;

	if (!under->set_deadline)
		return -ENOTSUP;
	if (!ready) {
		read_at = write_at = sooner(read_at, write_at);
		sides = LEAT_CONN_READ | LEAT_CONN_WRITE;
	}
	if (sides == (LEAT_CONN_READ | LEAT_CONN_WRITE) && read_at == write_at)
		return under->set_deadline(t->under, sides, read_at);
	if (sides & LEAT_CONN_READ)
		err = under->set_deadline(t->under, LEAT_CONN_READ, read_at);
	if (!err && sides & LEAT_CONN_WRITE)
		err = under->set_deadline(t->under, LEAT_CONN_WRITE, write_at);
	return err;
}

/* OpenSSL has made it, and all of it is on its way.  Where that fails (no memory) it is tried again with the next call. */
static int leat__tls_made(struct leat__tls *t)
{
	int err = 0;

	/* Equal ones are there already, or there never were any. */
	if (t->read_at != t->write_at)
		err = leat__tls_pass_deadlines(t, LEAT_CONN_READ | LEAT_CONN_WRITE, t->read_at, t->write_at,
		                               true);
	t->ready = !err;
	return err;
}

struct question {
	struct leat__tls *t;
	bool answered;
};

/* Where the program panics or ends the goroutine there is no handshake any more. */
static void leat__tls_answered(struct question *q)
{
	struct leat__tls *t = q->t;

	leat_mutex_lock(&t->lock);
	if (q->answered)
		return;
	ossl->ERR_clear_error();
	if (!t->why)
		t->why = leat__tls_error(-EPROTO, "config_for did not return");
	t->read_err = t->write_err = -EPROTO;
}

static leat_tls_config *leat__tls_ask(struct leat__tls *t, const char *name)
{
	struct question q = {.t = t};
	const leat_tls_config *config = t->config;
	leat_tls_config *other;

	LEAT_DEFER(leat__tls_answered, &q);

	leat_mutex_unlock(&t->lock);
	other = config->config_for(config->config_for_arg, name);
	q.answered = true;
	return other;
}

/* The server's configuration for the name that the client has said. */
static int leat__tls_choose(struct leat__tls *t)
{
	const char *name = t->server_name ? t->server_name : "";
	leat_tls_config *config = t->config, *other = NULL;
	bool good;

	t->chosen = true;
	if (config->config_for)
		other = leat__tls_ask(t, name);
	if (other) {
		t->config = other;
		leat_tls_config_free(config);
		if (!ossl->SSL_set_SSL_CTX(t->ssl, other->ctx) || !leat__tls_config_apply(other, t))
			return -ENOMEM;
	}
	begin(t);
	good = !t->config->n_identities || leat__tls_choose_identity(t->config, t->ssl, name);
	if (!good && !t->why)
		t->why = leat__tls_error(-EPROTO, "cannot use certificate");
	leat__san_blind_end();
	if (!good) {
		t->read_err = t->write_err = -EPROTO;
		return -EPROTO;
	}
	return 0;
}

/*
 * Holding the handshake.  The tickets that a server of TLS 1.3 has made last do not go out by themselves, but with what it
 * writes next: one packet less, and over a connection without buffers a client that begins by writing is read.
 */
static int leat__tls_drive(struct leat__tls *t, leat_ctx *ctx)
{
	enum leat__tls_step step;
	int err = 0;

	while (!err) {
		begin(t);
		step = end(t, ossl->SSL_do_handshake(t->ssl));
		/* There is nothing yet that could end: it is the end that nobody expects. */
		if (step == LEAT__TLS_ENDED)
			t->read_err = t->write_err = -EPROTO;
		if (step == LEAT__TLS_BROKEN || step == LEAT__TLS_ENDED)
			break;
		if (step != LEAT__TLS_DONE || !t->server || ossl->SSL_version(t->ssl) < TLS1_3_VERSION)
			err = leat__tls_flush(t, ctx);
		else
			t->unhurried = t->out.end;
		if (err || step == LEAT__TLS_DONE)
			return err ? err : leat__tls_made(t);
		/* Nobody else reads, for whom there would be a deadline to wait until. */
		err = step == LEAT__TLS_CHOOSE ? leat__tls_choose(t) : leat__tls_fill(t, &t->read_at, ctx);
		if (!err && t->closed)
			err = -EBADF;
		if (t->read_err)
			break;
	}
	if (!t->read_err)
		return err;
	leat__tls_last_words(t, true);
	return t->read_err;
}

static void leat__tls_handshook(struct leat__tls *t)
{
	t->handshaking = false;
	leat_cond_broadcast(&t->changed);
}

int leat__tls_ready(struct leat__tls *t, leat_ctx *ctx)
{
	int err = 0;

	while (!t->ready && !err) {
		int64_t at = sooner(t->read_at, t->write_at);

		err = leat__tls_verdict(t, at, ctx);
		if (!err)
			err = t->read_err;
		if (!err && t->handshaking) {
			leat__tls_wait(t, at, ctx);
		} else if (!err) {
			t->handshaking = true;
			LEAT_DEFER(leat__tls_handshook, t);
			err = leat__tls_drive(t, ctx);
		}
	}
	return err;
}

#endif
