/* SPDX-License-Identifier: MIT */
/* Certificates, made when a test runs, and pairs of connections of TLS. */
#ifndef TLS_HELP_H
#define TLS_HELP_H

#include "conn_listen.h"
#include "test.h"

#include <openssl/bn.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

/* As leat does it: else OpenSSL is taken down at exit under threads that still run, or that end then and leak what it has kept
   for them. */
__attribute__((constructor)) static void tls_openssl(void)
{
	CHECK(OPENSSL_init_ssl(OPENSSL_INIT_NO_ATEXIT, NULL));
}

struct tls_cert {
	X509 *cert;
	EVP_PKEY *key;
	char *cert_pem, *key_pem;
};

struct tls_cert_opts {
	const char *name;              /* of the subject */
	const char *san;               /* as OpenSSL writes it: "DNS:a.test,IP:127.0.0.1"; NULL: none */
	const struct tls_cert *issuer; /* NULL: itself */
	bool authority;
	long from_s, to_s; /* from now; 0, 0: from an hour ago to in an hour */
	bool rsa;
	const char *usage; /* "clientAuth"; NULL: any */
};

static inline char *tls_pem(X509 *cert, EVP_PKEY *key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text, *copy;
	long n;

	CHECK(cert ? PEM_write_bio_X509(b, cert)
	           : PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL));
	n = BIO_get_mem_data(b, &text);
	copy = strndup(text, (size_t)n);
	BIO_free(b);
	return copy;
}

static inline void tls_extend(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	CHECK(e && X509_add_ext(cert, e, -1));
	X509_EXTENSION_free(e);
}

static inline struct tls_cert tls_cert_make(const struct tls_cert_opts *o)
{
	static long serial;
	struct tls_cert c = {.cert = X509_new()};
	bool dated = o->from_s || o->to_s;
	X509_NAME *name = X509_get_subject_name(c.cert);

	c.key = o->rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
	CHECK(c.key && X509_set_version(c.cert, 2) && X509_set_pubkey(c.cert, c.key));
	CHECK(ASN1_INTEGER_set(X509_get_serialNumber(c.cert), ++serial));
	CHECK(X509_gmtime_adj(X509_getm_notBefore(c.cert), dated ? o->from_s : -3600));
	CHECK(X509_gmtime_adj(X509_getm_notAfter(c.cert), dated ? o->to_s : 3600));
	CHECK(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)o->name, -1,
	                                 -1, 0));
	CHECK(X509_set_issuer_name(c.cert, o->issuer ? X509_get_subject_name(o->issuer->cert) : name));
	if (o->authority)
		tls_extend(c.cert, NID_basic_constraints, "critical,CA:TRUE");
	if (o->san)
		tls_extend(c.cert, NID_subject_alt_name, o->san);
	if (o->usage)
		tls_extend(c.cert, NID_ext_key_usage, o->usage);
	CHECK(X509_sign(c.cert, o->issuer ? o->issuer->key : c.key, EVP_sha256()));
	c.cert_pem = tls_pem(c.cert, NULL);
	c.key_pem = tls_pem(NULL, c.key);
	return c;
}

static inline void tls_cert_free(struct tls_cert *c)
{
	X509_free(c->cert);
	EVP_PKEY_free(c->key);
	free(c->cert_pem);
	free(c->key_pem);
}

static inline leat_tls_config *tls_config(const leat_tls_config_opts *o)
{
	const leat_error *e = NULL;
	leat_tls_config *c = leat_tls_config_new(o, &e);

	if (!c) {
		fprintf(stderr, "%s\n", leat_error_message(e));
		exit(leat_error_code(e) == -ENOSYS ? 77 : 1);
	}
	return c;
}

struct tls_shaker {
	leat_conn *c;
	leat_ctx *ctx;
	_Atomic int *done;
	int *result;
	const leat_error **error;
};

static void tls_shaker(struct tls_shaker *s)
{
	int result = leat_tls_handshake(s->c, s->ctx, s->error);

	if (s->result)
		*s->result = result;
	__atomic_fetch_add((int *)s->done, 1, __ATOMIC_RELEASE);
}

/* What both handshakes come to, of which one is made in another goroutine. */
static inline void tls_shake(leat_conn *client, leat_conn *server, int *client_result,
                             int *server_result, const leat_error **client_error,
                             const leat_error **server_error)
{
	_Atomic int done = 0;

	go(tls_shaker, .c = client, .done = &done, .result = client_result, .error = client_error);
	*server_result = leat_tls_handshake(server, NULL, server_error);
	test_until(__atomic_load_n((int *)&done, __ATOMIC_ACQUIRE));
	test_goroutines(1);
}

/* A meeting of a client and a server, over a pair of sockets. */
struct tls_meeting {
	leat_conn *client, *server;
	int client_result, server_result;
	const leat_error *client_error, *server_error;
};

LEAT__UNUSED static void tls_meet(struct tls_meeting *m, leat_tls_config *client,
                                  leat_tls_config *server, const char *name)
{
	leat_conn *a, *b;

	*m = (struct tls_meeting){0};
	CHECK(leat_conn_socketpair(&a, &b, NULL));
	m->client = leat_tls_client(a, client, name, NULL);
	m->server = leat_tls_server(b, server, NULL);
	CHECK(m->client && m->server);
	tls_shake(m->client, m->server, &m->client_result, &m->server_result, &m->client_error,
	          &m->server_error);
}

LEAT__UNUSED static void tls_part(struct tls_meeting *m)
{
	leat_conn_free(m->client);
	leat_conn_free(m->server);
	leat_error_free(m->client_error);
	leat_error_free(m->server_error);
}

LEAT__UNUSED static void tls_check_good(const struct tls_meeting *m)
{
	if (m->client_error || m->server_error)
		fprintf(stderr, "client: %s, server: %s\n", leat_error_message(m->client_error),
		        leat_error_message(m->server_error));
	CHECK_EQ(m->client_result, 0);
	CHECK_EQ(m->server_result, 0);
}

/* With this code (-1: any), and these words among others. */
LEAT__UNUSED static void tls_check_failed(const leat_error *e, int code, const char *words)
{
	if (code != -1)
		CHECK_EQ(leat_error_code(e), code);
	if (!strstr(leat_error_message(e), words)) {
		fprintf(stderr, "\"%s\" is not in \"%s\"\n", words, leat_error_message(e));
		CHECK(false);
	}
}

#endif
