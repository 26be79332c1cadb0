/* SPDX-License-Identifier: MIT */
/*
 * TLS: connections that are private, and whose other side proves who it is.  After Go's package crypto/tls.
 *
 *	leat_tls_config *config = leat_tls_config_new(NULL, &e);
 *	leat_conn *c = leat_tls_dial("tcp", "example.org:443", config, ctx, &e);
 *
 *	leat_tls_certificate mine = {.cert_file = "cert.pem", .key_file = "key.pem"};
 *	config = leat_tls_config_new(&(leat_tls_config_opts){.certificates = &mine, .n_certificates = 1}, &e);
 *	while ((c = leat_tls_accept(l, config, NULL, &e)))
 *		go(serve, .conn = c);           the handshake is serve's: its first read or write makes it
 *
 * What these return is a leat_conn like any other, and all that leat/conn.h promises holds, with these additions:
 *
 *	-EPROTO         the end came without the other side's saying so ("unexpected EOF"), or it broke the protocol
 *	-EKEYREJECTED   this side did not accept the other's certificate
 *	-EREMOTEIO      the other side gave up, and said why ("remote error: tls: bad certificate")
 *
 * After one of the last two, and after an -EPROTO but for an unexpected end, the connection is of no more use: everything
 * returns that code, and leat_conn_error has the words: "read tls 127.0.0.1:4711->127.0.0.1:443: tls: failed to verify
 * certificate: x509: certificate signed by unknown authority".  What OpenSSL calls it is in leat_error_get(e, "openssl").
 *
 * close_write sends TLS's own farewell (close_notify) and leaves the connection underneath open; -ENOTCONN before the
 * handshake.  close sends it, too, waiting 5 s at most, unless somebody is in the middle of a write or one was given up.
 * Who reads the other's farewell sees the end: 0.
 *
 * Deadlines are passed on to the connection underneath, and a handshake ends with either of the two, whoever drives it: until it
 * is made both directions there have the earlier one.
 * A time-out or a context that ends spoils nothing, otherwise than in Go: what was encrypted by then counts as written, and
 * goes out before what is written next; a handshake goes on when it is next tried.
 *
 * TLS 1.2 and 1.3, by OpenSSL 3, whose libraries are loaded by the first leat_tls_config_new.  Renegotiation is refused.
 *
 * Stack: a goroutine that uses these needs 32 KiB, of which OpenSSL takes up to 14; the usual size does.
 * Memory: some 27 KB for each end with TLS 1.3, 17 KB with TLS 1.2, nearly all of it OpenSSL's.
 *
 * A program that uses OpenSSL by itself, too, begins with OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL), as leat does: else
 * OpenSSL is taken down when main returns, while goroutines still run.
 *
 * Any goroutine, any thread, all of it.
 */
#ifndef LEAT_TLS_H
#define LEAT_TLS_H

#include <leat/net.h>

LEAT__BEGIN

/* --- configurations */

/* How connections are to be made, unchanging; any number of connections share one, and the sessions that clients keep. */
typedef struct leat_tls_config leat_tls_config;

/* Versions, as they stand in the protocol. */
enum {
	LEAT_TLS_1_2 = 0x0303,
	LEAT_TLS_1_3 = 0x0304,
};

/* What a server asks of its clients.  After tls.ClientAuthType. */
enum leat_tls_client_auth {
	LEAT_TLS_NO_CLIENT_CERT,      /* nothing */
	LEAT_TLS_REQUEST_CLIENT_CERT, /* a certificate, which it need not give and nobody verifies */
	LEAT_TLS_REQUIRE_ANY_CLIENT_CERT,     /* a certificate, which nobody verifies */
	LEAT_TLS_VERIFY_CLIENT_CERT_IF_GIVEN, /* a certificate, which is verified where it gives one */
	LEAT_TLS_REQUIRE_AND_VERIFY_CLIENT_CERT,
};

/* A certificate, those between it and its authority following, and its key, in PEM: from files, or from memory where that is
   not NULL.  A key of NULL stands in the same place as the certificate.  Encrypted keys are refused. */
typedef struct leat_tls_certificate {
	const char *cert_file, *key_file;
	const char *cert_pem, *key_pem;
} leat_tls_certificate;

/* Whom to trust, in PEM; where all are NULL those that the system trusts. */
typedef struct leat_tls_authorities {
	const char *file, *dir, *pem; /* dir: as made by openssl rehash */
} leat_tls_authorities;

/* Zero-initialised: a client that trusts whom the system trusts. */
typedef struct leat_tls_config_opts {
	/* Shown to the other side.  Of several a server takes those for the name that the client asked for, or else the
	   first. */
	const leat_tls_certificate *certificates;
	int n_certificates;

	/* Clients. */
	leat_tls_authorities roots; /* for certificates of servers */
	const char *server_name; /* or address, that the certificate must be for; see leat_tls_client */
	bool
	    insecure_skip_verify; /* believe whoever answers.  For tests, or to look at the certificate oneself */
	int session_cache; /* servers whose last session is kept, to be resumed; 0: 64; < 0: none */

	/* Servers. */
	enum leat_tls_client_auth client_auth;
	leat_tls_authorities client_roots; /* for certificates of clients; all NULL: as roots */
	bool no_session_tickets;           /* let nobody resume sessions */

	/*
	 * Another configuration for who asks for server_name ("": he does not say), or NULL for this one.  Called outside
	 * OpenSSL by who makes the handshake, and may park; a panic goes on to him, and the connection is of no more use.  The
	 * connection takes over the caller's hold on the result.
	 * After tls.Config.GetConfigForClient and GetCertificate.
	 */
	leat_tls_config *(*config_for)(void *arg, const char *server_name);
	void *config_for_arg;

	/* Both. */
	const char *const *protocols; /* ALPN, the most wanted first: "h2", "http/1.1" */
	int n_protocols;
	int min_version, max_version; /* 0: LEAT_TLS_1_2, and the latest there is */
	const char *cipher_suites;    /* of TLS 1.2, as OpenSSL writes them; NULL: its own choice */
	const char *cipher_suites_13; /* of TLS 1.3, likewise */

	/* A file that the keys of each connection are appended to, for tools that decrypt what they have recorded.  Who has it
	   can read everything: for debugging only.  After tls.Config.KeyLogWriter, and the format of NSS. */
	const char *key_log_file;
} leat_tls_config_opts;

/*
 * Make one; opts may be NULL, is read at once, and nothing in it is needed later, but what config_for_arg points to.
 * Reads files, and blocks the thread for that; the system's authorities are read with the first client.
 * The caller holds it.  NULL, with what is wrong in *error (NULL: not wanted): "tls: cannot load cert.pem: no such file or
 * directory", "tls: private key does not match public key"; -ENOSYS where OpenSSL is not to be had.
 */
LEAT_API leat_tls_config *leat_tls_config_new(const leat_tls_config_opts *opts,
                                              const leat_error **error) LEAT__WARN_UNUSED;

/* Hold it once more, and return it; let go of it: connections hold it as long as they need it.  NULL is a no-op. */
LEAT_API leat_tls_config *leat_tls_config_retain(leat_tls_config *config);
LEAT_API void leat_tls_config_free(leat_tls_config *config);

/* --- connections */

/*
 * TLS over a connection, which goes over to it: it is closed and freed with it, and nobody else may read or write there.
 * Any kind will do.  No handshake is made yet.  NULL where that fails, under being the caller's still.
 *
 * server_name: whom a client wants to talk to, a host's name, or an address, which its certificate must be for; NULL:
 * the configuration's.  A client that has none, or one that begins with a dot, and does verify, is an error (-EINVAL).
 * After tls.Client and tls.Server.
 */
LEAT_API leat_conn *leat_tls_client(leat_conn *under, leat_tls_config *config,
                                    const char *server_name,
                                    const leat_error **error) LEAT__WARN_UNUSED;
LEAT_API leat_conn *leat_tls_server(leat_conn *under, leat_tls_config *config,
                                    const leat_error **error) LEAT__WARN_UNUSED;

/*
 * Dial and make the handshake, within ctx; the name to be verified is the configuration's, or else that in address.
 * Listen as usual, and take the next connection without making its handshake, so that a slow client keeps nobody waiting.
 * After tls.Dialer.DialContext and the Accept of tls.NewListener.
 */
LEAT_API leat_conn *leat_tls_dial(const char *network, const char *address, leat_tls_config *config,
                                  leat_any_ctx ctx, const leat_error **error) LEAT__WARN_UNUSED;
LEAT_API leat_conn *leat_tls_accept(leat_listener *l, leat_tls_config *config, leat_any_ctx ctx,
                                    const leat_error **error) LEAT__WARN_UNUSED;

/*
 * Make the handshake, unless it is made: 0, or a negative errno code, with the words in *error (NULL: not wanted), the
 * caller's.  Reads and writes do it by themselves; of several one does, and the others wait.  -ENOTSUP where c is not TLS.
 *
 * With TLS 1.3 a client has made it before the server has looked at its certificate: that one is refused to the first read.
 * Costs some 1.5 ms of CPU for both sides together, half of that where a session is resumed, as measured on a busy machine.
 * After tls.Conn.HandshakeContext, which closes the connection when ctx is done; this leaves it as it is.
 */
LEAT_API int leat_tls_handshake(leat_conn *c, leat_any_ctx ctx, const leat_error **error);

/* The connection underneath, still c's; NULL where c is not TLS.  After tls.Conn.NetConn. */
LEAT_API leat_conn *leat_tls_under(leat_conn *c);

/* --- what was agreed */

/* After tls.ConnectionState.  All of it lives as long as the connection. */
typedef struct leat_tls_state {
	int version;              /* LEAT_TLS_1_3 */
	const char *cipher_suite; /* "TLS_AES_128_GCM_SHA256" */
	const char *protocol;     /* ALPN; "": none */
	const char *server_name;  /* that the client asked for; "": none */
	bool resumed;             /* an earlier session */
	bool verified;            /* the other side has a certificate, and it was verified */

	/* The other side's certificate; NULL, 0 and none where it gave none. */
	const char *subject, *issuer;  /* "CN=example.org,O=Example", as RFC 2253 */
	const char *const *names;      /* host names and addresses that it is for, the last one NULL */
	int64_t not_before, not_after; /* seconds since 1970 UTC */
	const char *fingerprint;       /* SHA-256 of all of it, 64 digits */
	const unsigned char *der;      /* all of it, for other libraries */
	size_t der_bytes;
} leat_tls_state;

/* What there is to know of c once the handshake is made, always the same; NULL before, where c is not TLS, and where memory
   is out. */
LEAT_API const leat_tls_state *leat_tls_conn_state(leat_conn *c);

LEAT__END

/* For -Wpedantic, see ctx.h. */
#if !defined __cplusplus && !defined LEAT__LIBRARY
#define leat_tls_dial(...)      __extension__ leat_tls_dial(__VA_ARGS__)
#define leat_tls_accept(...)    __extension__ leat_tls_accept(__VA_ARGS__)
#define leat_tls_handshake(...) __extension__ leat_tls_handshake(__VA_ARGS__)
#endif

#endif
