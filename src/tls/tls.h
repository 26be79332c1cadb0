/* SPDX-License-Identifier: MIT */
/*
 * What the files of TLS share.
 *
 *	tls.c             the kind of connection: reading, writing, closing
 *	tls_engine.c      OpenSSL's side of one: bytes in, bytes out, the handshake
 *	tls_error.c       what went wrong, in Go's words
 *	tls_config.c      configurations
 *	tls_cert.c        certificates and authorities, from PEM
 *	tls_session.c     sessions that clients keep
 *	tls_state.c       what was agreed
 *	tls_dial.c        dialling and accepting
 *	tls_none.c        all of it where there is no OpenSSL
 */
#ifndef LEAT_TLS_TLS_H
#define LEAT_TLS_TLS_H

#include "arch/sanitizer.h"
#include "base/atomic.h"
#include "base/compiler.h"
#include "os/openssl.h"

#include <leat/cond.h>
#include <leat/once.h>
#include <leat/tls.h>

#if LEAT__OPENSSL

/* ossl->SSL_new */
static const struct leat__openssl *const ossl = &leat__openssl;

/* --- configurations */

struct leat__tls_session; /* tls_session.c */

struct leat__tls_identity { /* a certificate of ours */
	X509 *cert;
	EVP_PKEY *key;
	STACK_OF(X509) * chain;
};

/* Written by who makes it, and then by nobody, but where it says who. */
struct leat_tls_config {
	_Atomic int refs;
	SSL_CTX *ctx;
	struct leat__tls_identity *identities;
	int n_identities;
	X509_STORE *roots, *client_roots; /* roots: as default_roots says, else there from the start */
	STACK_OF(X509_NAME) * client_names; /* that a server says it trusts */
	bool default_roots;
	leat_once rooted; /* roots are the system's, which were read when a client first asked */
	char *server_name;
	bool skip_verify;
	bool no_tickets;
	int min_version, max_version; /* 0: the latest there is */
	enum leat_tls_client_auth client_auth;
	leat_tls_config *(*config_for)(void *arg, const char *server_name);
	void *config_for_arg;
	unsigned char *protocols; /* as they go over the wire */
	unsigned protocols_bytes;
	FILE *key_log;

	/* Under sessions_lock. */
	leat_mutex sessions_lock;
	struct leat__tls_session *sessions; /* the one used last first */
	int n_sessions, max_sessions;
};

/* --- connections */

struct leat__tls_buffer {
	unsigned char *bytes;
	size_t at, end, room; /* what is in it lies between at and end */
};

/*
 * Owners.  lock has everything but what another is named for, and is never held while the connection underneath reads or
 * writes.  turns: whose turn it is to read, to write.  Order: a turn before lock; lock before the configuration's.
 */
struct leat__tls {
	leat_conn conn;
	leat_conn *under;        /* for ever */
	leat_tls_config *config; /* who holds the handshake, until ready; then for ever */
	SSL *ssl;                /* for ever; used under lock */
	char *server_name;       /* for ever, of a client's: whom it talks to, or NULL */
	bool server;             /* for ever */
	_Atomic int refs;        /* its owner, and those at work in it: the last frees it */
	leat_mutex lock;
	leat_mutex reading, writing; /* turns */
	leat_cond changed;           /* anything that somebody may wait for under lock */

	struct leat__tls_buffer in;  /* came, and OpenSSL has not taken it yet */
	struct leat__tls_buffer out; /* OpenSSL has written it */
	struct leat__tls_buffer
	    sent;                 /* on its way; who has the turn to write, or holds the handshake */
	size_t unhurried;         /* of out, that need not go before something is written */
	bool filling;             /* somebody reads underneath, and has in */
	bool plenty;              /* the last such read filled its buffer */
	unsigned char first_byte; /* ever */

	int64_t read_at,
	    write_at;     /* deadlines; until ready, both directions underneath have the earlier one */
	bool handshaking; /* somebody holds the handshake */
	bool ready;       /* it is made */
	bool chosen;      /* the configuration for server_name was asked for */
	bool under_ended; /* the end came underneath */
	bool shut_read, shut_write, closed;
	bool given_up;           /* a write left something in out or sent */
	bool no_memory;          /* in the last call of OpenSSL's */
	int read_err, write_err; /* for good */
	const leat_error *why;   /* what OpenSSL said then */
	int users;               /* at work in it */

	SSL_SESSION *session;          /* came in a call of OpenSSL's, to be kept */
	X509 *refused;                 /* the certificate that could not be verified */
	struct leat__tls_state *state; /* NULL: nobody has asked */
};

static inline struct leat__tls *leat__tls_of(leat_conn *c)
{
	return container_of(c, struct leat__tls, conn);
}

/* --- tls.c */

extern const leat_conn_ops leat__tls_ops;

static inline bool leat__tls_is(const leat_conn *c)
{
	return c->ops == &leat__tls_ops;
}

/* Begin to use t, and lock it; false: it is closed, and nothing was done.  And the end of that. */
bool leat__tls_enter(struct leat__tls *t);
void leat__tls_leave(struct leat__tls *t);
void leat__tls_release(struct leat__tls *t);

/* --- tls_engine.c.  All with lock held, before and after; what may park says so, and lets go of it meanwhile */

/* OpenSSL's way to read and write in and out.  0, or -ENOMEM. */
int leat__tls_engine_make(struct leat__tls *t, leat_tls_config *config);

/* What a call of OpenSSL's came to. */
enum leat__tls_step {
	LEAT__TLS_DONE,
	LEAT__TLS_WANT,   /* more bytes in */
	LEAT__TLS_CHOOSE, /* the configuration */
	LEAT__TLS_ENDED,  /* the other side said farewell */
	LEAT__TLS_BROKEN, /* read_err, write_err and why say how */
};

enum leat__tls_step leat__tls_decrypt(struct leat__tls *t, void *to, size_t bytes, size_t *n);
enum leat__tls_step leat__tls_encrypt(struct leat__tls *t, const void *from, size_t bytes,
                                      size_t *n);
enum leat__tls_step leat__tls_farewell(struct leat__tls *t);

/* Room for what n bytes become.  False: no memory. */
bool leat__tls_reserve(struct leat__tls *t, size_t n);
void leat__tls_buffer_free(struct leat__tls_buffer *b);

/* Let some bytes come in, or the end, or somebody else look.  0, or why not.  Parks, until at, ctx's end, or close. */
int leat__tls_fill(struct leat__tls *t, const int64_t *at, leat_ctx *ctx);

/* All that is to go out goes; the caller has the turn to write, or holds the handshake.  Parks. */
int leat__tls_flush(struct leat__tls *t, leat_ctx *ctx);

/* The same for what the other side should hear at the end, for 5 s at most; without the turn: where it is to be had. */
void leat__tls_last_words(struct leat__tls *t, bool have_turn);

/* Make the handshake, or wait for who makes it, until either deadline.  0, or why not.  Parks. */
int leat__tls_ready(struct leat__tls *t, leat_ctx *ctx);

/* Give what is underneath these deadlines, as those of t: of sides, or both where that makes a difference.  0, or what
   that says. */
int leat__tls_pass_deadlines(struct leat__tls *t, enum leat_conn_side sides, int64_t read_at,
                             int64_t write_at, bool ready);

/* 0, or what ends any wait of t's. */
int leat__tls_verdict(const struct leat__tls *t, int64_t at, leat_ctx *ctx);

/* --- tls_error.c */

/* What the error queue of this thread says, in Go's words, its code in *err.  Between a call of OpenSSL's and this nothing
   may park. */
const leat_error *leat__tls_why(struct leat__tls *t, int *err);

/* "tls: WHAT" with the code err, and what OpenSSL said last, if it is why. */
const leat_error *leat__tls_error(int err, const char *what);

/* --- tls_cert.c.  0, or a negative errno code with *error set */

int leat__tls_load_identities(leat_tls_config *config, const leat_tls_config_opts *opts,
                              const leat_error **error);
int leat__tls_load_authorities(const leat_tls_authorities *a, X509_STORE **store,
                               STACK_OF(X509_NAME) * *names, const leat_error **error);
void leat__tls_free_identities(leat_tls_config *config);

/* Give ssl those of config for that name, or else the first; false: OpenSSL does not want them. */
bool leat__tls_choose_identity(const leat_tls_config *config, SSL *ssl, const char *server_name);

static inline bool leat__tls_any_authorities(const leat_tls_authorities *a)
{
	return a->file || a->dir || a->pem;
}

/* --- tls_config.c */

/* What config says that OpenSSL keeps for each connection.  False: no memory. */
bool leat__tls_config_apply(leat_tls_config *config, struct leat__tls *t);

/* --- tls_session.c */

/* The last session with that server, held for the caller; NULL: none. */
SSL_SESSION *leat__tls_session_find(leat_tls_config *config, const char *server_name);

/* Keep it; the caller's hold goes over. */
void leat__tls_session_keep(leat_tls_config *config, const char *server_name, SSL_SESSION *session);
void leat__tls_sessions_free(leat_tls_config *config);

/* --- tls_state.c */

/* Seconds since 1970 UTC. */
int64_t leat__tls_seconds(const ASN1_TIME *t);

/* The host names, the addresses, or both that cert is for, the last one NULL, in one piece of memory from malloc; NULL: no
   memory. */
char **leat__tls_cert_names(X509 *cert, bool names, bool addresses);

void leat__tls_state_free(struct leat__tls_state *state);

#endif
#endif
